"""Danger is seen first: a look at each raw row, ignoring order, with a unit of work of its own."""

import asyncio
from dataclasses import dataclass

import structlog

from bot.chat.callbacks import AnswerTap, Tap, decode
from bot.clinical import rules, safety
from bot.delivery.updates import Look, look, read
from bot.desk import Desk
from bot.services import incidents, safety_line
from bot.services.check_ins import typed_number
from bot.services.incidents import IncidentKind
from bot.services.safety_line import Report
from bot.services.work import Work
from storage.errors import ClaimLost, Unavailable
from storage.tables.post import MAX_DEATHS

log = structlog.get_logger()

HELP_WORDS = ("/help",)


@dataclass(frozen=True, slots=True)
class Row:
    position: int
    seen: Look
    report: Report | None
    looks: int  # before this one: each of them ended with the process


class Triage:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._cut_short = False

    async def look_at_all(self) -> int:
        """Judges every row that nobody has looked at; returns how many. Raises `Unavailable` when some have to wait."""
        again, self._cut_short = self._cut_short, True
        rows = await self._desk.ask(_claim, self._desk.name, again=again)
        harmless = [row.position for row in rows if row.report is None]
        if harmless:
            await self._desk.ask(_pass, harmless, self._desk.name)
        grave = [row for row in rows if row.report is not None]
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

    async def look_at_turn(self, position: int, seen: Look) -> None:
        """A typed number can only be judged when its turn has come: then, too, before its handler and on its own.

        One in a message that was changed later answers no question: the one that is shown by now is another.
        """
        if seen.data is not None or seen.is_edit or seen.text is None or typed_number(seen.text) is None:
            return
        origin = seen.origin(position, self._desk.name)
        try:
            await self._desk.act_for(origin, safety_line.triage, Report(number=seen.text))
        except Unavailable:
            raise
        except Exception as error:
            log.error("triage.failed", row=position, error=type(error).__name__)
            await self._desk.act_for(origin, safety_line.triage_failed)

    async def _look_at(self, row: Row) -> None:
        origin = row.seen.origin(row.position, self._desk.name)
        try:
            if row.looks >= MAX_DEATHS:
                raise RuntimeError("looked at before without an end")
            await self._desk.act_for(origin, _judge, row.report, row.position, self._desk.name)
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


def report_of(seen: Look) -> Report | None:
    """What this row says that a safety rule reads; a row without any needs no unit of work of its own."""
    if seen.data is not None:
        tap = decode(seen.data)
        return _tapped(tap) if tap is not None else None
    if seen.text is None or typed_number(seen.text) is not None:
        return None
    return Report(help_pressed=True) if seen.text.startswith(HELP_WORDS) else Report(text=seen.text)


def _tapped(tap: AnswerTap | Tap) -> Report | None:
    match tap:
        case AnswerTap(check_in, instrument, item, value):
            if safety.is_judged(instrument, item, value) or rules.is_grave(instrument, item, value):
                return Report(answer=(check_in, instrument, item, value))
        case Tap("help"):
            return Report(help_pressed=True)
        case Tap("crisis", detail=pressed) if pressed in safety.PRESSED:
            return Report(pressed=pressed)
        case Tap("compared", detail=compared):
            return Report(compared=compared)
    return None


def _claim(work: Work, holder: str, *, again: bool) -> list[Row]:
    inbox = work.stores.inbox
    if again:
        inbox.forget_looks(holder)
    seen = [(row, look(read(inbox.body(row)))) for row in inbox.claim_untriaged(holder)]
    return [Row(row.position, what, report_of(what), row.looks) for row, what in seen]


def _pass(work: Work, positions: list[int], holder: str) -> None:
    work.stores.inbox.mark_triaged(positions, holder)


def _look_again(work: Work, position: int, holder: str) -> None:
    work.stores.inbox.look_again(position, holder)


def _judge(work: Work, report: Report | None, position: int, holder: str) -> None:
    if report is not None:
        safety_line.triage(work, report)
    work.stores.inbox.mark_triaged([position], holder)


def _failed(work: Work, position: int, holder: str) -> None:
    safety_line.triage_failed(work)
    work.stores.inbox.mark_triaged([position], holder)


def _give_up(work: Work, position: int, holder: str) -> None:
    """Not even the note that looking failed could be written for this sender: the operator looks."""
    incidents.open(work, IncidentKind.ROW_DEAD, str(position))
    work.stores.inbox.mark_triaged([position], holder)
