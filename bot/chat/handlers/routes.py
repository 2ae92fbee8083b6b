"""A route: which updates, who may, what to do."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, MessageHandler
from telegram.ext.filters import BaseFilter

from bot.chat.application import DiaryApplication, DiaryContext
from bot.chat.callbacks import AnswerTap, Tap, decode
from bot.chat.permissions import Allow
from bot.services import replies

Handle = Callable[[Update, DiaryContext], Coroutine[Any, Any, None]]
TapHandle = Callable[[Tap, DiaryContext], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    handler: BaseHandler[Update, Any, Any]
    allow: Allow


def command(name: str, handle: Handle, allow: Allow) -> Route:
    return Route(CommandHandler(name, _with_rule(handle, allow)), allow)


def tap(act: str, handle: TapHandle, allow: Allow) -> Route:
    async def decoded(update: Update, context: DiaryContext) -> None:
        query = update.callback_query
        carried = decode(query.data) if query is not None and query.data else None
        if isinstance(carried, Tap):
            await handle(carried, context)

    return Route(CallbackQueryHandler(_with_rule(decoded, allow), pattern=rf"^{act}\|"), allow)


def about(act: str, use_case: Callable[..., None], allow: Allow) -> Route:
    """A button about one row: the use case gets the row's id, and the button's word of detail when there is one."""

    async def handle(carried: Tap, context: DiaryContext) -> None:
        if carried.subject is not None:
            await context.act(use_case, carried.subject, *([carried.detail] if carried.detail else []))

    return tap(act, handle, allow)


def answer(handle: Callable[[AnswerTap, DiaryContext], Awaitable[None]], allow: Allow) -> Route:
    async def decoded(update: Update, context: DiaryContext) -> None:
        query = update.callback_query
        carried = decode(query.data) if query is not None and query.data else None
        if isinstance(carried, AnswerTap):
            await handle(carried, context)
        else:
            await unknown_button(update, context)

    return Route(CallbackQueryHandler(_with_rule(decoded, allow), pattern=r"^a\|"), allow)


def any_tap(handle: Handle, allow: Allow) -> Route:
    return Route(CallbackQueryHandler(_with_rule(handle, allow)), allow)


def message(kind: BaseFilter, handle: Handle, allow: Allow) -> Route:
    return Route(MessageHandler(kind, _with_rule(handle, allow)), allow)


async def unknown_button(_update: Update, context: DiaryContext) -> None:
    await context.act(replies.stale)


def register(application: DiaryApplication, routes: tuple[Route, ...]) -> None:
    for route in routes:
        application.add_handler(route.handler)


def _with_rule(handle: Handle, allow: Allow) -> Handle:
    async def ruled(update: Update, context: DiaryContext) -> None:
        context.allow = allow
        await handle(update, context)

    return ruled
