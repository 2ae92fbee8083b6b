"""The clock's own work, driven by monotonic time: what is due now is asked of the rows, never of timers."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.delivery.drift import Reading, TwoClocks
from bot.delivery.pulse import Pulse
from bot.desk import Desk
from bot.services import check_ins, courses, incidents, paging, pausing
from bot.services.incidents import IncidentKind
from bot.services.work import Work
from storage.stores.agenda import Due

log = structlog.get_logger()

TICK_SECONDS = 0.5
BACKLOG = timedelta(seconds=5)


class Ticker:
    """`caught_up` tells whether Telegram may still hold answers: what it may hold is not missing."""

    def __init__(self, desk: Desk, caught_up: Callable[[], bool]) -> None:
        self._desk = desk
        self._caught_up = caught_up
        self._clocks = TwoClocks()
        self._steady = True
        self.pulse = Pulse()

    async def run(self) -> None:
        while True:
            moved = 0
            try:
                moved = await self.tick()
                self.pulse.beat()
            except Exception as error:  # the database is away: what is due stays due
                log.error("ticker.failed", error=type(error).__name__)
            await asyncio.sleep(0 if moved else TICK_SECONDS)

    async def tick(self) -> int:
        """Does a small part of what is due, escalations first; returns how many rows moved. More may be due then."""
        reading = self._clocks.read(self._desk.clock.now(), self._desk.clock.monotonic())
        await self._tell_of_jumps(reading)
        may_expire = reading.steady and self._caught_up()
        due, may_expire = await self._desk.lead(_look, reading.latest, may_expire)
        moved = 0
        if due.escalations:
            moved += await self._desk.lead_at(reading.latest, _escalate, self._desk.clock.now())
        if due.check_ins:
            moved += await self._desk.lead_in_turn(check_ins.do_due, may_expire=may_expire)
        if due.pauses:
            moved += await self._desk.lead_in_turn(pausing.end_pauses)
        if due.plans:
            moved += await self._desk.lead_in_turn(courses.plan_ahead)
        if moved:
            self._desk.wake()
        return moved

    async def next_due(self, until: datetime) -> datetime | None:
        """The next moment, up to `until`, at which a row has something to do."""
        return await self._desk.ask(_next_due, until)

    async def _tell_of_jumps(self, reading: Reading) -> None:
        if reading.steady != self._steady:
            await self._desk.act(incidents.close if reading.steady else incidents.open, IncidentKind.CLOCK)
            self._steady = reading.steady


def _escalate(work: Work, wall: datetime) -> int:
    moved = paging.escalate_due(work)
    if work.now > wall:
        work.stores.agenda.send_now(wall)
    return moved


def _look(work: Work, latest: datetime, may_expire: bool) -> tuple[Due, bool]:
    """What is due, and whether something may expire: not while answers wait in the inbox."""
    oldest = work.stores.inbox.oldest_waiting() if may_expire else None
    may_expire = may_expire and (oldest is None or work.now - oldest < BACKLOG)
    due = work.stores.agenda.look(work.now, latest, courses.planned_at_least_until(work), may_expire=may_expire)
    return due, may_expire


def _next_due(work: Work, until: datetime) -> datetime | None:
    due = [
        work.stores.check_ins.next_due(),
        work.stores.alerts.next_step(),
        work.stores.outbox.next_due(),
        work.stores.roads.next_due(),
    ]
    moments = [moment for moment in due if moment is not None and moment <= until]
    return min(moments, default=None)
