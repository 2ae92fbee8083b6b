"""Copies of the rows elsewhere: archives that any engine can read, and the shelf they stand on."""
