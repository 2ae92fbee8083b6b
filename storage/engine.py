"""The database: SQLite in one file by default, PostgreSQL by its address. One way to open a unit of work on both."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import sessionmaker

from storage.crypto import MasterKeys
from storage.errors import AlreadyRunning, SchemaMismatch
from storage.stores import Stores
from storage.stores.keys import KeyCache

T = TypeVar("T")


class Database:
    """Opens units of work: one transaction each, committed when the body returns and rolled back when it raises."""

    def __init__(self, url: str, masters: MasterKeys) -> None:
        self.url = make_url(url)
        self.engine = _sqlite_engine(url) if self.is_sqlite else create_engine(url, pool_size=8, pool_pre_ping=True)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self.masters = masters
        self._cache = KeyCache()

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @contextmanager
    def unit_of_work(self, now: datetime) -> Iterator[Stores]:
        with self._sessions() as session, session.begin():
            yield Stores(session, self.masters, self._cache, now)

    def transact(self, now: datetime, act: Callable[[Stores], T]) -> T:
        with self.unit_of_work(now) as stores:
            return act(stores)

    def migrate(self, revision: str = "head") -> None:
        """Brings the schema to what this program needs, or to an earlier one. Forward only; safe to repeat."""
        found, known = self.schema_version(), known_schemas()
        if found is not None and found not in known:
            raise SchemaMismatch(found, known[0])
        with self.engine.connect() as connection:
            command.upgrade(_alembic(connection), revision)
            connection.commit()

    def schema_version(self) -> str | None:
        with self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def needs_migration(self) -> bool:
        """True for a database that an older program made; a new and empty one needs no care."""
        return self.schema_version() in known_schemas()[1:]

    def require_current_schema(self) -> None:
        expected, found = known_schemas()[0], self.schema_version()
        if found != expected:
            raise SchemaMismatch(found, expected)

    def close(self) -> None:
        self.engine.dispose()


def known_schemas() -> list[str]:
    """Every revision of the schema that this program knows, newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_alembic(None)).walk_revisions()]


class RunningLock:
    """Refuses a second bot on the same SQLite file; the kernel frees it when the process ends, however it ends."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip()
            os.close(descriptor)
            raise AlreadyRunning(str(self._path), holder) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _sqlite_engine(url: str) -> Engine:
    file = make_url(url).database
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 15}, pool_size=4, max_overflow=0)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver would begin transactions late and by itself; we begin them, immediately, below.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # a commit that Telegram was told about must survive a power cut
            "foreign_keys=ON",
            "secure_delete=ON",
            "busy_timeout=15000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _alembic(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
