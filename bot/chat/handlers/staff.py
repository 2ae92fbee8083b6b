"""What staff tap and type about themselves and about the house."""

from telegram import Update

from bot.chat.application import DiaryContext
from bot.chat.callbacks import Tap
from bot.chat.handlers.routes import command, tap
from bot.chat.permissions import Allow
from bot.services import incidents, staff


async def on_incidents(_update: Update, context: DiaryContext) -> None:
    await context.act(incidents.list_all)


async def on_rota(_update: Update, context: DiaryContext) -> None:
    await context.act(staff.show_rota)


async def on_first_place(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(staff.take_first_place)


async def on_order(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(staff.show_order)


async def on_up(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(staff.move_up, tapped.subject)


async def on_off(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(staff.take_off, tapped.subject)


async def on_shift(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is None:
        await context.act(staff.choose_shift)
    else:
        await context.act(staff.hand_shift, tapped.subject)


async def on_away(tapped: Tap, context: DiaryContext) -> None:
    if tapped.detail:
        await context.act(staff.be_away, tapped.detail)
    else:
        await context.act(staff.choose_absence)


async def on_channels(tapped: Tap, context: DiaryContext) -> None:
    await context.act(staff.show_channels, tapped.subject)


async def on_add_channel(tapped: Tap, context: DiaryContext) -> None:
    await context.act(staff.ask_channel, tapped.subject)


async def on_drop_channel(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(staff.remove_channel, tapped.subject)


async def on_test_channels(tapped: Tap, context: DiaryContext) -> None:
    await context.act(staff.test_channels, tapped.subject)


ROUTES = (
    command("incidents", on_incidents, Allow.ADMIN),
    command("oncall", on_rota, Allow.STAFF),
    tap("oncall", on_first_place, Allow.STAFF),
    tap("order", on_order, Allow.STAFF),
    tap("up", on_up, Allow.STAFF),
    tap("off", on_off, Allow.STAFF),
    tap("shift", on_shift, Allow.STAFF),
    tap("away", on_away, Allow.STAFF),
    tap("roads", on_channels, Allow.STAFF),
    tap("roadadd", on_add_channel, Allow.STAFF),
    tap("roaddrop", on_drop_channel, Allow.STAFF),
    tap("roadtest", on_test_channels, Allow.STAFF),
)
