"""What keeps the house at night: a backup, then what is too old is removed. Nothing here is needed for an alert."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Concatenate, ParamSpec, Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.desk import Desk
from bot.services import keeping, restoring
from bot.services.restoring import Stock
from bot.services.work import Knowledge, Work
from bot.settings import Clinic, Settings
from storage.backup import restore, shelf
from storage.backup.errors import NotABackup
from storage.backup.restore import Source
from storage.backup.shelf import Backup, Shelf
from storage.backup.stream import Stream
from storage.engine import Database, RunningLock, known_schemas, stores_on
from storage.errors import StorageError
from storage.verify import prove

P = ParamSpec("P")

log = structlog.get_logger()

DAY = timedelta(days=1)
STREAM_SECONDS = 60.0
STREAM_SHARE = 20.0  # a large file takes longer, and is shipped less often: at most a twentieth of the time
SAMPLE = 200  # sealed values of each kind that are opened before a backup takes its place


def shelf_of(settings: Settings, clinic: Clinic) -> Shelf:
    keep = clinic.keeping
    return Shelf(
        settings.backups, settings.key_backups,
        keep_data=timedelta(days=keep.backups), keep_keys=timedelta(days=keep.key_backups),
    )  # fmt: skip


def migrate(database: Database, place: Shelf, now: datetime) -> Backup | None:
    """Brings the schema up to date; what an older program wrote is backed up first, or nothing is changed.

    Raises `AlreadyRunning` when that would be done below a bot that runs.
    """
    with _alone(database) if database.needs_migration() else nullcontext():
        return _migrate(database, place, now)


def _alone(database: Database) -> AbstractContextManager[object]:
    """Nobody changes the schema of a SQLite file below a bot that runs on it."""
    return RunningLock(database.file) if database.file is not None else nullcontext()


def _migrate(database: Database, place: Shelf, now: datetime) -> Backup | None:
    made = None
    if database.needs_migration():
        made = shelf.make(database, database.masters, place, now, label=f"{shelf.BEFORE}-{known_schemas()[0]}")
        log.info("backup.made_before_migration", name=made.data.name)
    database.migrate()
    if database.is_newer():
        log.warning("schema.newer", found=database.schema_version(), known=known_schemas()[0])
    return made


def put_in_place(database: Database, source: Source, knowledge: Knowledge, now: datetime) -> Stock:
    """Restores a backup once it is proved; returns what was promised meanwhile. The replaced database is kept."""
    with restore.restoring(database, source, now) as connection:
        proofs = prove(connection, database.masters, now, sample=SAMPLE)
        broken = [f"{proof.name}: {proof.says}" for proof in proofs if not proof.whole]
        if broken:
            raise NotABackup(source.path, "; ".join(broken))
        with stores_on(connection, database.masters, now) as stores:
            return restoring.take_stock(Work(stores, now, knowledge), source.moment)


class Upkeep:
    """The nightly round of a running bot, and the stream of its pages to another disk."""

    def __init__(self, desk: Desk, shelf: Shelf, stream: Stream | None = None) -> None:
        self._desk = desk
        self._shelf = shelf
        self._stream = stream

    @classmethod
    def of(cls, desk: Desk, settings: Settings) -> Self:
        file, target = desk.database.file, settings.backup_stream_dir
        stream = Stream(file, target, desk.database.masters) if file is not None and target is not None else None
        return cls(desk, shelf_of(settings, desk.knowledge.clinic), stream)

    async def run(self) -> None:
        """Makes up for a night in which the bot did not run; then ships what changes, every minute."""
        last = await self._desk.ask(keeping.last_backup)
        if await self._desk.ask(keeping.has_patients) and (last is None or self._desk.clock.now() - last > DAY):
            await self.nightly()
        try:
            while self._stream is not None:
                began = self._desk.clock.monotonic()
                await self.ship()
                await asyncio.sleep(max(STREAM_SECONDS, (self._desk.clock.monotonic() - began) * STREAM_SHARE))
        finally:
            if self._stream is not None:
                self._stream.close()

    async def ship(self) -> None:
        """Sends what changed since the last time to the stream, if there is one."""
        if self._stream is None:
            return
        try:
            shipped = await asyncio.to_thread(self._stream.ship, self._desk.clock.now())
        except (StorageError, OSError, sqlite3.Error) as error:
            log.error("stream.failed", error=type(error).__name__)
            await self._note(keeping.note_failed_backup, keeping.STREAM)
            return
        if shipped is not None:
            log.debug("stream.shipped", pages=shipped.changed, bytes=shipped.size)
            await self._note(keeping.note_stream)

    async def nightly(self) -> None:
        await self._note(restoring.end_of_notice)
        await self._clear_aside()
        await self._note(keeping.forget_old)  # first, so that the backup does not hold it any more
        try:
            made = await asyncio.to_thread(self._back_up)
        except (StorageError, SQLAlchemyError, OSError) as error:
            log.error("backup.failed", error=type(error).__name__)
            await self._note(keeping.note_failed_backup)
            return
        log.info("backup.made", rows=made.rows, bytes=made.size)
        await self._note(keeping.note_backup, made.data.name)

    async def _note(self, use_case: Callable[Concatenate[Work, P], None], *args: P.args, **kwargs: P.kwargs) -> None:
        """One step of the round; when it cannot be stored, the next ones are tried all the same."""
        try:
            await self._desk.act(use_case, *args, **kwargs)
        except StorageError as error:
            log.error("upkeep.not_noted", error=type(error).__name__)

    async def _clear_aside(self) -> None:
        """What a restore has replaced holds data and keys, and goes when the last keys of its time go."""
        before = self._desk.clock.now() - self._shelf.keep_keys
        try:
            gone = await asyncio.to_thread(restore.clear_aside, self._desk.database, before)
        except (SQLAlchemyError, OSError) as error:
            log.error("upkeep.not_cleared", error=type(error).__name__)
            return
        for name in gone:
            await self._note(keeping.note_cleared, name)

    def _back_up(self) -> Backup:
        now = self._desk.clock.now()
        database = self._desk.database
        made = shelf.make(database, database.masters, self._shelf, now, pause=shelf.REST_SECONDS)
        self._shelf.clear(now)
        return made
