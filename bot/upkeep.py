"""What keeps the house at night: a backup, then what is too old is removed. Nothing here is needed for an alert."""

import asyncio
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.desk import Desk
from bot.services import keeping, restoring
from bot.services.restoring import Stock
from bot.services.work import Knowledge, Work
from bot.settings import Clinic, Settings
from storage.backup import restore, shelf
from storage.backup.archive import Moved
from storage.backup.errors import NotABackup
from storage.backup.restore import Pair
from storage.backup.shelf import Backup, Shelf
from storage.engine import Database, known_schemas, stores_on
from storage.errors import StorageError
from storage.verify import prove

log = structlog.get_logger()

DAY = timedelta(days=1)
SAMPLE = 200  # sealed values of each kind that are opened before a backup takes its place


def shelf_of(settings: Settings, clinic: Clinic) -> Shelf:
    keep = clinic.keeping
    return Shelf(
        settings.backups, settings.key_backups,
        keep_data=timedelta(days=keep.backups), keep_keys=timedelta(days=keep.key_backups),
    )  # fmt: skip


def migrate(database: Database, place: Shelf, now: datetime) -> Backup | None:
    """Brings the schema up to date; what an older program wrote is backed up first, or nothing is changed."""
    made = None
    if database.needs_migration():
        made = shelf.make(database, database.masters, place, now, label=f"{shelf.BEFORE}-{known_schemas()[0]}")
        log.info("backup.made_before_migration", name=made.data.name)
    database.migrate()
    return made


def put_in_place(database: Database, pair: Pair, knowledge: Knowledge, now: datetime, moved: Moved) -> Stock:
    """Restores a backup once it is proved; returns what was promised meanwhile. The replaced database is kept."""
    with restore.restoring(database, restore.Archived(pair, moved), now) as connection:
        proofs = prove(connection, database.masters, now, sample=SAMPLE)
        broken = [f"{proof.name}: {proof.says}" for proof in proofs if not proof.whole]
        if broken:
            raise NotABackup(pair.data.path, "; ".join(broken))
        with stores_on(connection, database.masters, now) as stores:
            return restoring.take_stock(Work(stores, now, knowledge), pair.data.manifest.moment)


class Upkeep:
    """The nightly round of a running bot."""

    def __init__(self, desk: Desk, shelf: Shelf) -> None:
        self._desk = desk
        self._shelf = shelf

    async def run(self) -> None:
        """Makes up for a night in which the bot did not run."""
        last = await self._desk.ask(keeping.last_backup)
        if await self._desk.ask(keeping.has_patients) and (last is None or self._desk.clock.now() - last > DAY):
            await self.nightly()

    async def nightly(self) -> None:
        await self._desk.act(restoring.end_of_notice)
        await self._desk.act(keeping.forget_old)  # first, so that the backup does not hold it any more
        try:
            made = await asyncio.to_thread(self._back_up)
        except (StorageError, SQLAlchemyError, OSError) as error:
            log.error("backup.failed", error=type(error).__name__)
            await self._desk.act(keeping.note_failed_backup)
            return
        log.info("backup.made", rows=made.rows, bytes=made.size)
        await self._desk.act(keeping.note_backup, made.data.name)

    def _back_up(self) -> Backup:
        now = self._desk.clock.now()
        make = partial(shelf.make, self._desk.database, self._desk.database.masters, self._shelf, now)
        made = make(pause=shelf.REST_SECONDS)
        self._shelf.clear(now)
        return made
