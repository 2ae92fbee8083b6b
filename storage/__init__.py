"""Rows and keys: the engine, the sealed tables and their named queries. Imports nothing from `bot`."""
