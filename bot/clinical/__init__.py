"""The medicine: instruments, protocol, schedule, rules, safety. Pure Python, no input or output, no clock."""
