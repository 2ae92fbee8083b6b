"""Restoring: everything is built and proved beside the database in place, which is then put aside, not overwritten.

A restore that dies half-way leaves the database in place as it was: on SQLite the last step is one rename, on
PostgreSQL one commit.
"""

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

import psycopg
from sqlalchemy import Connection, Inspector, inspect, text

from storage.backup.archive import Archive, Moved, TablePart
from storage.backup.errors import NewerBackup, NoKeys, NotABackup, OnlySqlite, OthersConnected
from storage.backup.shelf import STAMP
from storage.backup.snapshot import take_time
from storage.backup.stream import Streamed
from storage.crypto import MasterKeys
from storage.engine import Database, RunningLock, known_schemas, upgrade
from storage.files import sync_folder

CANDIDATE, REPLACED = ".restoring", "replaced"
BESIDE = ("", "-wal", "-shm", "-journal")
OTHER_SESSIONS = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""


class Source(Protocol):
    """Where the rows come from, and the moment that they show."""

    path: Path
    moment: datetime
    rows: int | None  # how many there are to move, if that is known

    def place(self, file: Path) -> None:
        """Writes what it has as a SQLite file, if it has that."""
        ...

    def fill(self, connection: Connection) -> None:
        """Brings rows and schema to what this program needs."""
        ...


@dataclass(frozen=True, slots=True)
class Pair:
    """Data and the keys that open it."""

    data: Archive
    keys: Archive

    @property
    def rows(self) -> int:
        return self.data.manifest.rows + self.keys.manifest.rows


def open_pair(data: Path, keys: Path, masters: MasterKeys, *, named: bool) -> Pair:
    """Proves that both can be used together; keys that were named by hand may be older than the data."""
    pair = Pair(Archive(data, masters), Archive(keys, masters))
    if (pair.data.manifest.kind, pair.keys.manifest.kind) != ("data", "keys"):
        raise NotABackup(data, "data and keys are mixed up")
    for archive in (pair.data, pair.keys):
        if archive.manifest.schema not in known_schemas():
            raise NewerBackup(archive.path, archive.manifest.schema)
    known = {archive.manifest.database for archive in (pair.data, pair.keys)} - {""}
    if len(known) > 1:
        raise NoKeys(f"{keys} is of another database")
    if not named and pair.keys.manifest.moment < pair.data.manifest.moment:
        raise NoKeys(f"{keys} is older than the data")
    return pair


class Archived:
    """A pair of archives as a source: its own schema first, then its rows, then what came later."""

    rows: int | None

    def __init__(self, pair: Pair, moved: Moved) -> None:
        self._pair = pair
        self._moved = moved
        self.path, self.moment, self.rows = pair.data.path, pair.data.manifest.moment, pair.rows

    def place(self, file: Path) -> None:
        """Archives hold rows, not files."""

    def fill(self, connection: Connection) -> None:
        upgrade(connection, self._pair.data.manifest.schema)
        for archive in (self._pair.keys, self._pair.data):
            load(connection, archive, self._moved)
        upgrade(connection, "head")


@contextmanager
def restoring(database: Database, source: Source, now: datetime) -> Iterator[Connection]:
    """A connection to the restored rows; they take their place when the body returns, and are dropped when it raises.

    Raises `AlreadyRunning` or `OthersConnected` while somebody works on the database.
    """
    if database.file is None:
        with _in_postgresql(database, source, now) as connection:
            yield connection
        return
    with RunningLock(database.file), _in_sqlite(database.file, database.masters, source, now) as connection:
        yield connection


def aside_of(database: Database, now: datetime) -> str:
    """Where the replaced database is kept: a file, or a schema."""
    if database.file is None:
        return f"{REPLACED}_{now.astimezone(UTC):{STAMP}}".lower()
    return str(_aside(database.file, now))


@contextmanager
def building(file: Path, masters: MasterKeys, source: Source) -> Iterator[Connection]:
    """A connection to a new SQLite file with these rows, at the newest schema."""
    remove(file)
    source.place(file)
    candidate = Database(f"sqlite:///{file}", masters)
    try:
        with candidate.engine.begin() as connection:
            source.fill(connection)
            yield connection
    finally:
        candidate.close()


@contextmanager
def _in_sqlite(file: Path, masters: MasterKeys, source: Source, now: datetime) -> Iterator[Connection]:
    candidate = file.with_name(file.name + CANDIDATE)
    try:
        with building(candidate, masters, source) as connection:
            yield connection
        _settle(candidate)
        _swap(file, candidate, _aside(file, now))
    finally:
        remove(candidate)


def _aside(file: Path, now: datetime) -> Path:
    return file.with_name(f"{file.stem}-{REPLACED}-{now.astimezone(UTC):{STAMP}}{file.suffix}")


def _settle(file: Path) -> None:
    """Moves everything into the one file, which alone is renamed."""
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _swap(file: Path, candidate: Path, aside: Path) -> None:
    if file.exists():
        with suppress(sqlite3.Error):  # a damaged one is put aside as it is, with its log
            _settle(file)
        try:
            aside.hardlink_to(file)
        except OSError:  # a file system without links
            shutil.copy2(file, aside)
        for ending in BESIDE[1:]:  # a log left behind would be played into the restored file
            with suppress(FileNotFoundError):
                file.with_name(file.name + ending).replace(aside.with_name(aside.name + ending))
        sync_folder(file.parent)
    candidate.replace(file)
    sync_folder(file.parent)


def put_aside(database: Database) -> list[tuple[str, datetime]]:
    """What restores have replaced and kept: a file name or a schema each, and when it was put there."""
    if database.file is not None:
        file = database.file
        names = [path.name for path in file.parent.glob(f"{file.stem}-{REPLACED}-*{file.suffix}")]
    else:
        with database.engine.connect() as connection:
            names = [name for name in inspect(connection).get_schema_names() if name.startswith(f"{REPLACED}_")]
    found = [(name, re.search(r"\d{8}T\d{6}Z", name.upper())) for name in names]
    return sorted(
        (name, datetime.strptime(stamp[0], STAMP).replace(tzinfo=UTC)) for name, stamp in found if stamp is not None
    )


def clear_aside(database: Database, before: datetime) -> list[str]:
    """Removes what was put aside earlier, and on SQLite what a killed restore has left; returns the names.

    For the bot alone: while it runs, nothing is being restored.
    """
    old = [name for name, made_at in put_aside(database) if made_at < before]
    if database.file is not None:
        for name in old:
            remove(database.file.with_name(name))
        remove(database.file.with_name(database.file.name + CANDIDATE))
        return old
    with database.engine.begin() as connection:
        for name in old:
            connection.exec_driver_sql(f"DROP SCHEMA {_quoted(connection, name)} CASCADE")
    return old


def remove(file: Path) -> None:
    for ending in BESIDE:
        file.with_name(file.name + ending).unlink(missing_ok=True)


@contextmanager
def _in_postgresql(database: Database, source: Source, now: datetime) -> Iterator[Connection]:
    """One transaction: the tables in place move to a schema of their own, and the restored ones are made anew."""
    with database.engine.begin() as connection:
        if isinstance(source, Streamed):
            raise OnlySqlite(source.path)
        take_time(connection)
        others = connection.scalar(text(OTHER_SESSIONS)) or 0
        if others:
            raise OthersConnected(others)
        connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")  # archives hold moments in UTC, without a zone
        aside = _quoted(connection, aside_of(database, now))
        present = inspect(connection).get_table_names()
        if present:
            connection.exec_driver_sql(f"CREATE SCHEMA {aside}")
        for name in present:
            connection.exec_driver_sql(f"ALTER TABLE {_quoted(connection, name)} SET SCHEMA {aside}")
        source.fill(connection)
        yield connection


def load(connection: Connection, archive: Archive, moved: Moved) -> None:
    """Inserts the rows of an archive into tables of its own schema."""
    known = inspect(connection)
    for part in archive.manifest.tables:
        if not known.has_table(part.name):
            raise NotABackup(archive.path, f"its schema has no table {part.name}")
        if set(part.columns) - {column["name"] for column in known.get_columns(part.name)}:
            raise NotABackup(archive.path, f"{part.name} has columns that its schema does not have")
        for batch in archive.batches(part):
            _insert(connection, part, batch)
            moved(len(batch))
        if connection.dialect.name == "postgresql":
            _count_on(connection, known, part)


def _insert(connection: Connection, part: TablePart, batch: list[list[Any]]) -> None:
    """Values go in as text where PostgreSQL has a type of its own: it reads what SQLite keeps."""
    names = ", ".join(_quoted(connection, name) for name in part.columns)
    target = f"{_quoted(connection, part.name)} ({names})"
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(part.columns))
        connection.exec_driver_sql(f"INSERT INTO {target} VALUES ({places})", [tuple(row) for row in batch])  # nosec B608
        return
    cursor = cast("psycopg.Cursor[Any]", connection.connection.cursor())
    with cursor.copy(f"COPY {target} FROM STDIN".encode()) as copy:
        for row in batch:
            copy.write_row(row)


def _count_on(connection: Connection, known: Inspector, part: TablePart) -> None:
    """Numbered rows go on after the last one."""
    for column in known.get_columns(part.name):
        if "nextval" in str(column.get("default")):
            name = _quoted(connection, column["name"])
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{part.name}', '{column['name']}'), "  # nosec B608
                f"coalesce((SELECT max({name}) FROM {_quoted(connection, part.name)}), 0) + 1, false)"
            )


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
