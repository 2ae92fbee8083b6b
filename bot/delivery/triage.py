"""Danger is seen first: a look at each raw row, ignoring order, with a transaction of its own."""

import json

import structlog

from bot.chat.callbacks import AnswerTap, decode
from bot.delivery.updates import Look, look
from bot.desk import Desk
from bot.services import safety_line
from bot.services.work import Work

log = structlog.get_logger()

HELP_WORDS = ("/help",)


class Triage:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def look_at_all(self) -> int:
        """Judges every row that nobody has looked at; returns how many."""
        waiting = await self._desk.ask(_untriaged)
        for position, body in waiting:
            await self._look_at(position, body)
        return len(waiting)

    async def _look_at(self, position: int, body: str) -> None:
        try:
            seen = look(json.loads(body))
            await self._desk.act_for(seen.origin(position), _judge, seen, position)
        except Exception as error:
            # Whatever failed, a human reviews this row now, and the row goes on to its handler.
            log.error("triage.failed", row=position, error=type(error).__name__)
            seen = look(json.loads(body))
            await self._desk.act_for(seen.origin(position), _failed, position)


def _untriaged(work: Work) -> list[tuple[int, str]]:
    return [(row.position, work.stores.inbox.body(row)) for row in work.stores.inbox.untriaged()]


def _judge(work: Work, seen: Look, position: int) -> None:
    tap = decode(seen.data) if seen.data else None
    answer = (tap.check_in, tap.instrument, tap.item, tap.value) if isinstance(tap, AnswerTap) else None
    help_pressed = (tap is not None and not isinstance(tap, AnswerTap) and tap.act == "help") or (
        seen.text is not None and seen.text.startswith(HELP_WORDS)
    )
    if answer or seen.text or help_pressed:
        safety_line.triage(work, answer, seen.text, help_pressed=help_pressed)
    work.stores.inbox.mark_triaged(position)


def _failed(work: Work, position: int) -> None:
    safety_line.triage_failed(work)
    work.stores.inbox.mark_triaged(position)
