"""The database: SQLite in one file by default, PostgreSQL by its address. One way to open a unit of work on both."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, delete, event, func, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, TimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from storage.crypto import MasterKeys
from storage.errors import AlreadyRunning, Conflict, SchemaTooNew, SchemaTooOld, Unavailable
from storage.stores import Stores
from storage.stores.alerts import append_to_trail
from storage.stores.keys import KeyCache
from storage.tables.alerts import AuditEntry
from storage.tables.keys import Fact

T = TypeVar("T")


MIGRATIONS = Path(__file__).parent / "migrations"
MOST_TRIES = 6  # of an act that meets another process at the same row
OVERTAKEN = ("40001", "40P01")  # SQLSTATE: serialization failure, deadlock
LONGEST_COMMIT = 0.1  # seconds in which units of work still join it: danger that comes meanwhile waits no longer
COMMITTED = "afterglow"  # the channel on which PostgreSQL tells the other processes of a commit
RUNS_FROM = "schema.runs_from"  # the fact which programs, by their schema, can work with the database as it is
MIGRATING = 7_261_113  # the advisory lock of whoever migrates on PostgreSQL
# A migration waits for other transactions only briefly: meanwhile everybody else would wait behind it.
PATIENCE = "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = 0"
SESSION_LIMITS = "-c idle_in_transaction_session_timeout=4000 -c statement_timeout=30000"

Act = Callable[[Stores], T]
Unit = tuple[datetime, Act[T]]  # what is done, and at which moment


class Database:
    """Opens units of work: one transaction each, committed when the body returns and rolled back when it raises."""

    def __init__(self, url: str, masters: MasterKeys, *, checkpoints: bool = True) -> None:
        """Without `checkpoints`, a SQLite file's log is left to the bot that may be running on it."""
        self.url = make_url(url)
        self.engine = _sqlite_engine(url, checkpoints=checkpoints) if self.is_sqlite else _postgres_engine(url)
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
        with self.engine.begin() as connection, _session(connection, nested=False) as session:
            stores = self._stores(session, now, set())
            yield stores
            session.commit()
            append_to_trail(connection, stores.audit.written)

    def transact(self, now: datetime, act: Callable[[Stores], T]) -> T:
        """One act, again when another process was in the way. Raises `Unavailable` when nothing can be stored."""
        for tries in range(1, MOST_TRIES + 1):
            (done,) = self.together([(now, act)])
            if isinstance(done, Conflict) and tries < MOST_TRIES:
                continue
            if isinstance(done, Exception):
                raise done
            return done
        raise AssertionError("not reached")

    def together(self, units: Sequence[Unit[T]], *, announce: bool = False) -> list[T | Exception]:
        """Several units of work that share a commit, a savepoint each: one that raises undoes itself and nothing else.

        Gives what each returned or raised. `Unavailable` for all when the transaction itself failed; `Conflict` for
        one that met another process at the same row and may be tried again. `announce` wakes the other processes.
        When they take long, the first of them are committed and the rest is not begun: fewer results come back.
        """
        try:
            with self.engine.begin() as connection:
                fresh: set[str] = set()
                outcomes: list[tuple[T | Exception, list[AuditEntry]]] = []
                ends = time.monotonic() + LONGEST_COMMIT
                for unit in units:
                    outcomes.append(self._one(connection, unit, fresh, nested=len(units) > 1))
                    if time.monotonic() > ends:
                        break
                if announce and not self.is_sqlite:
                    connection.execute(text(f"NOTIFY {COMMITTED}"))
                append_to_trail(connection, [entry for _, trail in outcomes for entry in trail])
                return [outcome for outcome, _ in outcomes]
        except _Alone as alone:
            return [alone.error]
        except (DBAPIError, TimeoutError, Unavailable) as error:
            return [self._named(error)] * len(units)

    def _one(
        self, connection: Connection, unit: Unit[T], fresh: set[str], *, nested: bool
    ) -> tuple[T | Exception, list[AuditEntry]]:
        now, act = unit
        try:
            with _session(connection, nested=nested) as session:
                stores = self._stores(session, now, fresh)
                result = act(stores)
                session.commit()
                return result, stores.audit.written
        except Exception as error:
            named = self._named(error)
            if isinstance(named, Unavailable):
                raise  # the transaction is lost with all that was in it
            if connection.invalidated:  # lost earlier, and what failed now is only a consequence
                raise Unavailable(error) from error
            if not nested:
                raise _Alone(named) from error
            return named, []

    def _named(self, error: Exception) -> Exception:
        """The database's own errors by what they mean here; any other as it is."""
        if isinstance(error, StaleDataError):
            return Conflict(error)
        if isinstance(error, TimeoutError):
            return Unavailable(error)
        if not isinstance(error, DBAPIError):
            return error
        if getattr(error.orig, "sqlstate", None) in OVERTAKEN:
            return Conflict(error)
        if isinstance(error, IntegrityError):
            return error if self.is_sqlite else Conflict(error)
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            return Unavailable(error)
        return error

    def _stores(self, session: Session, now: datetime, fresh: set[str]) -> Stores:
        return Stores(session, self.masters, self._cache, now, fresh)

    def migrate(self, revision: str = "head") -> None:
        """Brings the schema to what this program needs, or to an earlier one. Forward only; safe to repeat.

        A schema that a newer program made is left alone. Raises `SchemaTooNew` when this program cannot work with it.
        """
        try:
            with self.engine.begin() as connection:
                if not self.is_sqlite:
                    connection.exec_driver_sql(PATIENCE)
                    connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
                if _is_newer(connection):
                    _require_compatible(connection)
                    return
                upgrade(connection, revision)
                _note_who_can_work(connection)
        except OperationalError as error:
            raise Unavailable(error) from error

    def schema_version(self) -> str | None:
        with self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def is_newer(self) -> bool:
        """True for a database that a newer program has migrated."""
        with self.engine.connect() as connection:
            return _is_newer(connection)

    def needs_migration(self) -> bool:
        """True for a database that an older program made; a new and empty one needs no care."""
        return self.schema_version() in known_schemas()[1:]

    def require_current_schema(self) -> None:
        with self.engine.connect() as connection:
            require_current_schema(connection)

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def stores_on(connection: Connection, masters: MasterKeys, now: datetime) -> Iterator[Stores]:
    """Stores inside a transaction that somebody else commits."""
    with _session(connection, nested=False) as session:
        stores = Stores(session, masters, KeyCache(), now, set())
        yield stores
        session.commit()  # only its own part: the connection's transaction stays open
    append_to_trail(connection, stores.audit.written)


def upgrade(connection: Connection, revision: str) -> None:
    """Runs the migrations up to a revision inside the connection's own transaction."""
    command.upgrade(_alembic(connection), revision)


def require_current_schema(connection: Connection) -> None:
    expected, found = known_schemas()[0], _revision(connection)
    if _is_newer(connection):
        raise SchemaTooNew(found, expected, None)
    if found != expected:
        raise SchemaTooOld(found, expected)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _is_newer(connection: Connection) -> bool:
    return _revision(connection) not in (None, *known_schemas())


def _require_compatible(connection: Connection) -> None:
    needed = connection.scalar(select(Fact.value).where(Fact.name == RUNS_FROM))
    if needed not in known_schemas():
        raise SchemaTooNew(_revision(connection), known_schemas()[0], needed)


def _note_who_can_work(connection: Connection) -> None:
    """A migration that takes something away says from which schema on programs do without it: `runs_from`."""
    scripts = ScriptDirectory.from_config(_alembic(None)).iterate_revisions(_revision(connection), "base")
    oldest = next(script.module.runs_from for script in scripts if hasattr(script.module, "runs_from"))
    if connection.scalar(select(Fact.value).where(Fact.name == RUNS_FROM)) != oldest:
        connection.execute(delete(Fact).where(Fact.name == RUNS_FROM))
        connection.execute(insert(Fact).values(name=RUNS_FROM, value=oldest, set_at=func.current_timestamp()))


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


class _Alone(Exception):
    """Carries the error of the only act of a transaction out of it, so that the transaction is rolled back."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _session(connection: Connection, *, nested: bool) -> Session:
    """A session of one act's own, so that nothing of a failed one is left in memory for the next."""
    return Session(
        connection, expire_on_commit=False, join_transaction_mode="create_savepoint" if nested else "rollback_only"
    )


def _postgres_engine(url: str) -> Engine:
    # A frozen process must not hold its locks: the server ends a transaction that idles, and so the lease moves on.
    return create_engine(
        url, pool_size=8, pool_pre_ping=True, connect_args={"options": SESSION_LIMITS, "connect_timeout": 5}
    )


def _sqlite_engine(url: str, *, checkpoints: bool) -> Engine:
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
            *(() if checkpoints else ("wal_autocheckpoint=0",)),
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _alembic(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
