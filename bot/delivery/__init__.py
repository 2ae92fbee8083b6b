"""The post room: updates in, letters out, and the clock's own work. Confirm after commit, mark after send."""
