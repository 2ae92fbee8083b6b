"""Rows of one chat in order, different chats side by side; a row that keeps failing dies visibly and blocks nobody."""

import asyncio
from dataclasses import dataclass

import structlog
from telegram import Update

from bot.chat.application import DiaryApplication
from bot.delivery.pulse import Pulse
from bot.delivery.triage import Triage
from bot.delivery.updates import Raw, complete, look, read
from bot.delivery.waking import woken
from bot.desk import Desk, Origin
from bot.services import incidents, safety_line
from bot.services.incidents import IncidentKind
from bot.services.work import Work
from storage.errors import ClaimLost, Unavailable
from storage.tables.post import MAX_ATTEMPTS, MAX_DEATHS

log = structlog.get_logger()

IDLE_SECONDS = 5.0
RETRY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Turn:
    position: int
    raw: Raw
    attempt: int  # counts from 1; it was counted before the try


class Worker:
    def __init__(self, application: DiaryApplication, desk: Desk, triage: Triage) -> None:
        self.application = application
        self._desk = desk
        self._triage = triage
        self._wake = asyncio.Event()
        self._innocent: list[int] = []  # rows whose try the database cut short: it does not count against them
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
        turns = await self._desk.ask(_next_turns, self._desk.name, tuple(self._innocent))
        self._innocent.clear()
        await asyncio.gather(*(self._handle(turn) for turn in turns if turn.attempt == 1))
        # One of these may have killed the process: each alone, so that it takes no other with it; the likeliest last.
        for turn in sorted((turn for turn in turns if turn.attempt > 1), key=lambda turn: turn.attempt):
            await self._desk.ask(_try_again, turn, self._desk.name)
            await self._handle(turn)
        return len(turns)

    async def _handle(self, turn: Turn) -> None:
        seen = look(turn.raw)
        origin = seen.origin(turn.position, self._desk.name)
        try:
            if turn.attempt > MAX_DEATHS:
                raise RuntimeError("tried before without an end")
            await self._triage.look_at_turn(turn.position, seen)
            update = Update.de_json(complete(turn.raw), self.application.bot)
            if not await self.application.handle(update, origin):
                await self._desk.ask(_done, origin)
        except Unavailable:
            self._innocent.append(turn.position)
        except ClaimLost:
            log.warning("worker.too_slow", row=turn.position)
        except Exception as error:
            log.error("worker.row_failed", row=turn.position, attempt=turn.attempt, error=type(error).__name__)
            await self._after_failure(turn, origin)

    async def _after_failure(self, turn: Turn, origin: Origin) -> None:
        if turn.attempt < MAX_ATTEMPTS:
            await self._desk.ask(_release, origin)
            return
        try:
            await self._desk.act_for(origin if origin.number else None, _bury, origin)
        except Exception as error:
            log.error("worker.buried_without_alert", row=turn.position, error=type(error).__name__)
            await self._desk.act(_bury, origin)


def _next_turns(work: Work, holder: str, innocent: tuple[int, ...]) -> list[Turn]:
    inbox = work.stores.inbox
    for position in innocent:
        inbox.release(position, holder, uncount=True)
    return [Turn(row.position, read(inbox.body(row)), row.attempts + 1) for row in inbox.claim_turns(holder)]


def _try_again(work: Work, turn: Turn, holder: str) -> None:
    work.stores.inbox.try_again(turn.position, holder, turn.attempt)


def _release(work: Work, origin: Origin) -> None:
    work.stores.inbox.release(origin.source, origin.claim)


def _done(work: Work, origin: Origin) -> None:
    work.stores.inbox.mark_done(origin.source, origin.claim)


def _bury(work: Work, origin: Origin) -> None:
    work.stores.inbox.mark_dead(origin.source, origin.claim)
    work.stores.audit.record("inbox.dead", actor=work.caller.id, detail=str(origin.source))
    incidents.open(work, IncidentKind.ROW_DEAD, str(origin.source))
    if work.caller.chat is not None:
        safety_line.could_not_read(work)
