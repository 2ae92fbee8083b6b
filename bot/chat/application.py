"""python-telegram-bot's dispatcher with our context: errors reach the caller, and each act is one transaction."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from telegram import Update
from telegram.ext import Application, ApplicationBuilder, CallbackContext, ContextTypes, ExtBot

from bot.chat.permissions import Allow, require
from bot.desk import Desk, Origin
from bot.services import letters
from bot.services.errors import Kind
from bot.services.work import Work

P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Turn:
    """One update on its way through the dispatcher; `done` when a use case has committed together with its row."""

    origin: Origin
    desk: Desk
    done: bool = False


_turn: ContextVar[Turn] = ContextVar("turn")


class DiaryContext(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """What a handler gets: `act` runs one use case for the sender, after the handler's permission was checked."""

    allow: Allow = Allow.ADMIN  # the route sets the handler's own rule

    async def act(self, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """None when the use case refused with a kind error: its sentence goes out as a letter, nothing else changes."""
        turn, allow = _turn.get(), self.allow

        def permitted(work: Work) -> T:
            require(work, allow)
            result = use_case(work, *args, **kwargs)
            work.stores.inbox.mark_done(turn.origin.source, turn.origin.claim)
            return result

        try:
            result = await turn.desk.handle(turn.origin, permitted)
        except Kind as error:
            await turn.desk.handle(turn.origin, _say, error, turn.origin)
            result = None
        turn.done = True
        return result


def _say(work: Work, error: Kind, origin: Origin) -> None:
    letters.reply(work, "notice", detail=error.key)
    work.stores.inbox.mark_done(origin.source, origin.claim)


class DiaryApplication(Application[ExtBot[None], DiaryContext, dict[Any, Any], dict[Any, Any], dict[Any, Any], Any]):
    """`process_error` re-raises: the worker, not the library, decides what a failed row means."""

    desk: Desk

    @property
    def initialized(self) -> bool:
        return bool(self._initialized)

    async def process_error(self, update: object, error: Exception, *args: Any, **kwargs: Any) -> bool:
        raise error

    async def handle(self, update: Update | None, origin: Origin) -> bool:
        """Dispatches one update for the sender in `origin`; True when its row is done, too."""
        if update is None:
            return False
        turn = Turn(origin, self.desk)
        _turn.set(turn)
        await self.process_update(update)
        return turn.done


def build(bot: ExtBot[None], desk: Desk) -> DiaryApplication:
    """The dispatcher without an updater and without a job queue: both are ours (docs/architecture.md)."""
    builder = (
        ApplicationBuilder()
        .application_class(DiaryApplication)
        .bot(bot)
        .updater(None)
        .job_queue(None)
        .context_types(ContextTypes(context=DiaryContext))
    )
    application = builder.build()
    assert isinstance(application, DiaryApplication)  # nosec B101
    application.desk = desk
    return application
