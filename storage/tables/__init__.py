"""All tables, so that one import makes the metadata whole."""

from storage.tables import alerts, diary, incidents, keys, people, post, roads
from storage.tables.base import Table

__all__ = ["Table", "alerts", "diary", "incidents", "keys", "people", "post", "roads"]
