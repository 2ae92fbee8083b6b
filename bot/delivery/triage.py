"""Danger is seen first: a look at each raw row, ignoring order, with a unit of work of its own."""

import asyncio
from dataclasses import dataclass

import structlog

from bot.chat.callbacks import AnswerTap, decode
from bot.clinical import safety
from bot.delivery.updates import Look, look, read
from bot.desk import Desk
from bot.services import incidents, safety_line
from bot.services.incidents import IncidentKind
from bot.services.work import Work
from storage.errors import ClaimLost, Unavailable
from storage.tables.post import MAX_DEATHS

log = structlog.get_logger()

HELP_WORDS = ("/help",)


@dataclass(frozen=True, slots=True)
class Row:
    position: int
    seen: Look
    looks: int  # before this one: each of them ended with the process


class Triage:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._cut_short = False

    async def look_at_all(self) -> int:
        """Judges every row that nobody has looked at; returns how many. Raises `Unavailable` when some have to wait."""
        again, self._cut_short = self._cut_short, True
        rows = await self._desk.ask(_claim, self._desk.name, again=again)
        harmless = [row.position for row in rows if not may_be_danger(row.seen)]
        if harmless:
            await self._desk.ask(_pass, harmless, self._desk.name)
        grave = [row for row in rows if may_be_danger(row.seen)]
        looked = await asyncio.gather(*(self._look_at(row) for row in grave if not row.looks), return_exceptions=True)
        for failed in looked:
            if isinstance(failed, BaseException):
                raise failed
        # One of these may have killed the process: each alone, so that it takes no other with it; the likeliest last.
        for row in sorted((row for row in grave if row.looks), key=lambda row: row.looks):
            await self._desk.ask(_look_again, row.position, self._desk.name)
            await self._look_at(row)
        self._cut_short = False
        return len(rows)

    async def _look_at(self, row: Row) -> None:
        origin = row.seen.origin(row.position, self._desk.name)
        try:
            if row.looks >= MAX_DEATHS:
                raise RuntimeError("looked at before without an end")
            await self._desk.act_for(origin, _judge, row.seen, row.position, self._desk.name)
        except Unavailable:
            raise
        except ClaimLost:
            log.warning("triage.too_slow", row=row.position)
        except Exception as error:
            # Whatever failed, a human reviews this row now, and the row goes on to its handler.
            log.error("triage.failed", row=row.position, error=type(error).__name__)
            try:
                await self._desk.act_for(origin, _failed, row.position, self._desk.name)
            except Unavailable:
                raise
            except Exception as again:
                log.error("triage.failed_twice", row=row.position, error=type(again).__name__)
                await self._desk.act(_give_up, row.position, self._desk.name)


def may_be_danger(seen: Look) -> bool:
    """False only for a tap that no safety rule reads; such rows need no unit of work of their own."""
    tap = decode(seen.data) if seen.data else None
    if isinstance(tap, AnswerTap):
        return safety.is_judged(tap.instrument, tap.item, tap.value)
    return tap.act == "help" if tap is not None else seen.text is not None


def _claim(work: Work, holder: str, *, again: bool) -> list[Row]:
    inbox = work.stores.inbox
    if again:
        inbox.forget_looks(holder)
    return [Row(row.position, look(read(inbox.body(row))), row.looks) for row in inbox.claim_untriaged(holder)]


def _pass(work: Work, positions: list[int], holder: str) -> None:
    work.stores.inbox.mark_triaged(positions, holder)


def _look_again(work: Work, position: int, holder: str) -> None:
    work.stores.inbox.look_again(position, holder)


def _judge(work: Work, seen: Look, position: int, holder: str) -> None:
    tap = decode(seen.data) if seen.data else None
    answer = (tap.check_in, tap.instrument, tap.item, tap.value) if isinstance(tap, AnswerTap) else None
    help_pressed = (tap is not None and not isinstance(tap, AnswerTap) and tap.act == "help") or (
        seen.text is not None and seen.text.startswith(HELP_WORDS)
    )
    if answer or seen.text or help_pressed:
        safety_line.triage(work, answer, seen.text, help_pressed=help_pressed)
    work.stores.inbox.mark_triaged([position], holder)


def _failed(work: Work, position: int, holder: str) -> None:
    safety_line.triage_failed(work)
    work.stores.inbox.mark_triaged([position], holder)


def _give_up(work: Work, position: int, holder: str) -> None:
    """Not even the note that looking failed could be written for this sender: the operator looks."""
    incidents.open(work, IncidentKind.ROW_DEAD, str(position))
    work.stores.inbox.mark_triaged([position], holder)
