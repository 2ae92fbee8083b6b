"""What staff tap on an alert's card."""

from bot.chat.application import DiaryContext
from bot.chat.callbacks import Tap
from bot.chat.handlers.routes import about, tap
from bot.chat.permissions import Allow
from bot.services import alerts, care


async def on_take(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(alerts.acknowledge, tapped.subject)


async def on_take_over(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(alerts.take_over, tapped.subject)


async def on_words(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(alerts.read_words, tapped.subject)


async def on_promise(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(alerts.promise, tapped.subject, tapped.detail)


async def on_contacted(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(alerts.contacted, tapped.subject)


async def on_not_now(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(alerts.hand_over, tapped.subject)


async def on_close(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(alerts.ask_outcome, tapped.subject)


async def on_outcome(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(alerts.close, tapped.subject, tapped.detail)


ROUTES = (
    tap("take", on_take, Allow.STAFF),
    tap("takeover", on_take_over, Allow.STAFF),
    tap("words", on_words, Allow.STAFF),
    tap("promise", on_promise, Allow.STAFF),
    tap("contacted", on_contacted, Allow.STAFF),
    tap("notnow", on_not_now, Allow.STAFF),
    tap("close", on_close, Allow.STAFF),
    tap("outcome", on_outcome, Allow.STAFF),
    about("alertchart", care.send_alert_chart, Allow.STAFF),
)
