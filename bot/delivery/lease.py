"""Who polls, ticks and sends: on SQLite the only process there is, on PostgreSQL the holder of a row, one at a time.

The row runs out by the database's clock. What the holder does is checked twice: before each act by its own clock, and
inside each transaction by the row itself, so that a holder that was frozen and wakes writes nothing and sends nothing.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import psycopg
import structlog

from bot.desk import Desk
from bot.services.work import Work
from storage.engine import COMMITTED
from storage.errors import NotLeading
from storage.stores import Stores

log = structlog.get_logger()

NAME = "post"
SECONDS = 6.0  # a dead holder is replaced after these; a frozen one may hold a transaction 4 s longer
RENEW_SECONDS = 2.0
TRY_SECONDS = 1.0
MARGIN = 1.0  # before the row runs out, this process stops by itself
RECONNECT_SECONDS = 2.0


def boot_time() -> float:
    """Seconds that also pass while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """Taken, prolonged and lost; what only its holder may do runs by `run`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._alone = desk.database.is_sqlite
        self._term: int | None = None
        self._until = 0.0

    @property
    def held(self) -> bool:
        return self._alone or (self._term is not None and boot_time() < self._until)

    def guard(self, stores: Stores) -> None:
        """Inside a transaction: raises `NotLeading` unless this process leads until the commit."""
        if self._alone:
            return
        if not self.held or self._term is None:
            raise NotLeading
        stores.leases.require(NAME, self._desk.name, self._term)

    async def try_to_take(self) -> bool:
        """One attempt to take or to prolong the lease."""
        if self._alone:
            return True
        asked = boot_time()
        term = await self._desk.lead_or_not(_take, self._desk.name)
        if term != self._term:
            log.info("lease.changed", term=term)
        self._term, self._until = term, asked + SECONDS - MARGIN
        return term is not None

    async def run(self, parts: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        """Leads whenever it can. The parts run only while it does."""
        tasks: list[asyncio.Task[None]] = []
        try:
            while True:
                leads = await self._once()
                if leads and not tasks:
                    tasks = [asyncio.create_task(part()) for part in parts]
                elif not leads and tasks:
                    await _stop(tasks)
                    tasks = []
                await asyncio.sleep(RENEW_SECONDS if leads else TRY_SECONDS)
        finally:
            await _stop(tasks)

    async def _once(self) -> bool:
        try:
            async with asyncio.timeout(SECONDS):
                return await self.try_to_take()
        except Exception as error:  # the database is away: by its own clock this process leads a little longer
            log.warning("lease.not_renewed", error=type(error).__name__)
            return self.held

    async def give_up(self) -> None:
        if self._alone or self._term is None:
            return
        try:
            await self._desk.ask(_give_up, self._desk.name)
        except Exception as error:  # it runs out by itself
            log.warning("lease.not_given_up", error=type(error).__name__)


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _take(work: Work, holder: str) -> int | None:
    return work.stores.leases.take(NAME, holder, SECONDS)


def _give_up(work: Work, holder: str) -> None:
    work.stores.leases.give_up(NAME, holder)


async def listen(desk: Desk) -> None:
    """Wakes this process when another one has committed. Without it, idle looks every few seconds find the work."""
    address = desk.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
            async with connection:
                await connection.execute(f"LISTEN {COMMITTED}")
                desk.wake()  # what was committed before
                async for _ in connection.notifies():
                    desk.wake()
        except psycopg.Error as error:
            log.warning("listening.broken", error=type(error).__name__, again_in=RECONNECT_SECONDS)
        await asyncio.sleep(RECONNECT_SECONDS)
