"""All rows as they were at one moment, while the bot goes on writing."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, MetaData, NullPool, column, create_engine, func, select, table
from sqlalchemy import Table as ReflectedTable
from sqlalchemy.types import LargeBinary

from storage.backup.archive import ROWS_AT_ONCE, ArchiveWriter, Manifest, Moved, Row, writing
from storage.backup.errors import NoDatabase
from storage.crypto import MasterKeys
from storage.engine import Database
from storage.tables.keys import Fact, SubjectKey

VERSION_TABLE = "alembic_version"
KEYS_TABLE = SubjectKey.__tablename__


class Snapshot:
    """The tables as this moment shows them, found in the database itself: its schema may be older than the program."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        found = MetaData()
        found.reflect(connection)
        self.tables = [known for known in found.sorted_tables if known.name != VERSION_TABLE]
        self.schema = str(connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE))))
        self.database = self._fact("database.id")

    def count(self) -> int:
        counts = (self._connection.scalar(select(func.count()).select_from(known)) for known in self.tables)
        return sum(number or 0 for number in counts)

    def write(
        self, target: Path, masters: MasterKeys, made_at: datetime, *, keys: bool, moved: Moved, pause: float = 0
    ) -> Manifest:
        """The keys alone, or everything but the keys. `pause` seconds between batches leave room to the bot."""
        with writing(target) as archive:
            for known in self.tables:
                if (known.name == KEYS_TABLE) == keys:
                    self._add(archive, known, partial(_move_and_rest, moved, pause))
            return archive.finish(masters, "keys" if keys else "data", made_at, self.schema, self.database)

    def _add(self, archive: ArchiveWriter, known: ReflectedTable, moved: Moved) -> None:
        names = [found.name for found in known.columns]
        binary = [place for place, found in enumerate(known.columns) if isinstance(found.type, LargeBinary)]
        archive.add(known.name, names, binary, self._batches(known.name, names), moved)

    def _batches(self, name: str, names: list[str]) -> Iterator[Sequence[Row]]:
        # Columns without types: the driver's own values, which the archive knows how to write.
        query = select(*table(name, *[column(each) for each in names]).columns)
        rows = self._connection.execution_options(stream_results=True, yield_per=ROWS_AT_ONCE).execute(query)
        yield from rows.partitions()

    def _fact(self, name: str) -> str:
        if not any(known.name == Fact.__tablename__ for known in self.tables):
            return ""
        return self._connection.scalar(select(Fact.value).where(Fact.name == name)) or ""


@contextmanager
def reading(database: Database) -> Iterator[Connection]:
    """One consistent view that keeps no writer waiting, writes nothing and checkpoints nothing."""
    if database.file is not None:
        with _reading_file(database.file) as connection:
            yield connection
        return
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with database.engine.connect().execution_options(**options) as connection, connection.begin():
        take_time(connection)
        yield connection


def take_time(connection: Connection) -> None:
    """PostgreSQL: lifts the limits that keep a frozen bot from holding its locks; a large table takes its time."""
    for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {limit} = 0")


@contextmanager
def _reading_file(file: Path) -> Iterator[Connection]:
    if not file.exists():
        raise NoDatabase(file)
    open_file = partial(sqlite3.connect, file, isolation_level=None, timeout=15, check_same_thread=False)
    engine = create_engine("sqlite://", creator=open_file, poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
        connection.exec_driver_sql("PRAGMA wal_autocheckpoint=0")
        connection.exec_driver_sql("BEGIN")
        yield connection
    engine.dispose()


def _move_and_rest(moved: Moved, pause: float, rows: int) -> None:
    moved(rows)
    if pause:
        time.sleep(pause)
