"""What the stores say to either engine where the engines differ, or where SQLAlchemy takes many words."""

from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Result, literal_column
from sqlalchemy import Table as SchemaTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.tables import Table


def rows_of(table: type[Table]) -> SchemaTable:
    """The table as rows without objects: what is said over them costs a fraction, and flushes nothing before it."""
    return cast(SchemaTable, table.__table__)


def insert_for(session: Session) -> Any:
    """The INSERT of the engine in use: both have ON CONFLICT, each in a dialect of its own."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def count(result: Result[Any]) -> int:
    return cast(CursorResult[Any], result).rowcount


def database_time(session: Session, ahead: float = 0) -> ColumnElement[Any]:
    """The database's own clock, which all processes share; `ahead` in seconds."""
    if session.get_bind().dialect.name == "postgresql":
        return literal_column(f"(clock_timestamp() + interval '{ahead} seconds')")
    return literal_column(f"strftime('%Y-%m-%d %H:%M:%f', 'now', '{ahead:+} seconds')")
