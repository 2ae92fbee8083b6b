"""What patients tap and type about themselves: the sitting, their own data, their own curve."""

from telegram import Update

from bot.chat.application import DiaryContext
from bot.chat.callbacks import Tap
from bot.chat.handlers.routes import about, command, tap
from bot.chat.permissions import Allow
from bot.services import about_you, care, check_ins, enrolment, privacy


async def on_about_you(tapped: Tap, context: DiaryContext) -> None:
    await context.act(about_you.begin if tapped.detail == "begin" else about_you.show)


async def on_about(tapped: Tap, context: DiaryContext) -> None:
    await context.act(about_you.tapped, tapped.detail)


async def on_about_ask(tapped: Tap, context: DiaryContext) -> None:
    await context.act(about_you.ask, tapped.detail)


async def on_underage(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(enrolment.underage)


async def on_my_data(_update: Update, context: DiaryContext) -> None:
    await context.act(privacy.show)


async def on_my_data_tap(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(privacy.show)


async def on_delete_tap(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(privacy.ask_delete)


async def on_copy(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(privacy.send_copy)


async def on_delete(_update: Update, context: DiaryContext) -> None:
    await context.act(privacy.ask_delete)


async def on_delete_sure(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(privacy.delete)


async def on_keep(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(privacy.keep)


async def on_chart(_update: Update, context: DiaryContext) -> None:
    await context.act(care.own_chart)


ROUTES = (
    command("mydata", on_my_data, Allow.PATIENT),
    command("delete", on_delete, Allow.PATIENT),
    command("chart", on_chart, Allow.PATIENT),
    tap("mydata", on_my_data_tap, Allow.PATIENT),
    tap("ask_delete", on_delete_tap, Allow.PATIENT),
    tap("copy", on_copy, Allow.PATIENT),
    tap("erase", on_delete_sure, Allow.PATIENT),
    tap("keep", on_keep, Allow.PATIENT),
    tap("about_you", on_about_you, Allow.PATIENT),
    tap("about", on_about, Allow.PATIENT),
    tap("about_ask", on_about_ask, Allow.PATIENT),
    tap("underage", on_underage, Allow.PATIENT),
    about("proxy", check_ins.somebody_else, Allow.PATIENT),
)
