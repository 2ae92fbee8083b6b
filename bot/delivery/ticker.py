"""The clock's own work, driven by monotonic time: what is due now is asked of the rows, never of timers."""

import asyncio
from datetime import datetime

import structlog

from bot.delivery.pulse import Pulse
from bot.desk import Desk
from bot.services import alerts, check_ins, courses, pausing
from bot.services.work import Work

log = structlog.get_logger()

TICK_SECONDS = 0.5


class Ticker:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.pulse = Pulse()

    async def run(self) -> None:
        while True:
            try:
                await self.tick()
                self.pulse.beat()
            except Exception as error:  # the database is away: what is due stays due
                log.error("ticker.failed", error=type(error).__name__)
            await asyncio.sleep(TICK_SECONDS)

    async def tick(self) -> int:
        """Does what is due, escalations first; returns how many rows moved."""
        moved = 0
        for due in (alerts.escalate_due, check_ins.do_due, pausing.end_pauses, courses.plan_ahead):
            rows = await self._desk.ask(due)
            if rows:
                self._desk.wake()
            moved += rows
        return moved

    async def next_due(self, until: datetime) -> datetime | None:
        """The next moment, up to `until`, at which a row has something to do."""
        return await self._desk.ask(_next_due, until)


def _next_due(work: Work, until: datetime) -> datetime | None:
    due = [
        work.stores.check_ins.next_due(),
        work.stores.alerts.next_step(),
        work.stores.outbox.next_due(),
    ]
    moments = [moment for moment in due if moment is not None and moment <= until]
    return min(moments, default=None)
