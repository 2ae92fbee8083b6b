"""Rows of one chat in order, different chats side by side; a row that keeps failing dies visibly and blocks nobody."""

import asyncio
import json
from dataclasses import dataclass

import structlog
from telegram import Update

from bot.chat.application import DiaryApplication
from bot.delivery.pulse import Pulse
from bot.delivery.triage import Triage
from bot.delivery.updates import complete, look
from bot.delivery.waking import woken
from bot.desk import Desk
from bot.services import safety_line
from bot.services.work import Work
from storage.stores.post import MAX_ATTEMPTS

log = structlog.get_logger()

IDLE_SECONDS = 5.0
RETRY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Turn:
    position: int
    body: str


class Worker:
    def __init__(self, application: DiaryApplication, desk: Desk, triage: Triage) -> None:
        self.application = application
        self._desk = desk
        self._triage = triage
        self._wake = asyncio.Event()
        self.pulse = Pulse()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                done = await self.work_off()
                self.pulse.beat()
            except Exception as error:  # the database is away: the rows wait, nothing is lost
                log.error("worker.stopped_short", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not done:
                await woken(self._wake, IDLE_SECONDS)

    async def work_off(self) -> int:
        """Triage for all that is new, then one row of each waiting chat; returns how many rows were handled."""
        await self._triage.look_at_all()
        if not self.application.initialized:
            return 0  # commands cannot be told apart before the bot knows its own name; danger has been seen above
        turns = await self._desk.ask(_next_turns)
        await asyncio.gather(*(self._handle(turn) for turn in turns))
        return len(turns)

    async def _handle(self, turn: Turn) -> None:
        raw = json.loads(turn.body)
        origin = look(raw).origin(turn.position)
        attempt = await self._desk.ask(_begin, turn.position)
        try:
            if attempt > MAX_ATTEMPTS:
                raise RuntimeError("tried before without an end")
            update = Update.de_json(complete(raw), self.application.bot)
            await self.application.handle(update, origin)
            await self._desk.ask(_done, turn.position)
        except Exception as error:
            log.error("worker.row_failed", row=turn.position, attempt=attempt, error=type(error).__name__)
            if attempt >= MAX_ATTEMPTS:
                await self._desk.act_for(origin, _bury, turn.position)


def _next_turns(work: Work) -> list[Turn]:
    return [Turn(row.position, work.stores.inbox.body(row)) for row in work.stores.inbox.waiting()]


def _begin(work: Work, position: int) -> int:
    return work.stores.inbox.begin_attempt(position)


def _done(work: Work, position: int) -> None:
    work.stores.inbox.mark_done(position)


def _bury(work: Work, position: int) -> None:
    work.stores.inbox.mark_dead(position)
    work.stores.audit.record("inbox.dead", actor=work.caller.id, detail=str(position))
    safety_line.could_not_read(work)
