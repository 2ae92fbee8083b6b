"""What patients tap and type. Texts come last: whatever no command took is an answer, a setting or a diary note."""

from telegram import Update
from telegram.ext import filters

from bot.chat.application import DiaryContext
from bot.chat.callbacks import AnswerTap, Tap
from bot.chat.handlers.routes import answer, any_tap, command, message, tap, unknown_button
from bot.chat.permissions import Allow
from bot.services import check_ins, enrolment, inbound, pausing, replies, safety_line


async def on_answer(tapped: AnswerTap, context: DiaryContext) -> None:
    await context.act(check_ins.record, tapped.check_in, tapped.instrument, tapped.item, tapped.value)


async def on_begin(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(check_ins.begin, tapped.subject)


async def on_snooze(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(check_ins.snooze, tapped.subject)


async def on_back(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(check_ins.back, tapped.subject)


async def on_change(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(check_ins.change, tapped.subject, tapped.detail)


async def on_language(tapped: Tap, context: DiaryContext) -> None:
    await context.act(enrolment.choose_language, tapped.detail)


async def on_consent(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(enrolment.consent)


async def on_zone(tapped: Tap, context: DiaryContext) -> None:
    await context.act(enrolment.choose_zone, tapped.detail)


async def on_hour(tapped: Tap, context: DiaryContext) -> None:
    await context.act(enrolment.choose_hour, tapped.detail)


async def on_setting(tapped: Tap, context: DiaryContext) -> None:
    await context.act(replies.ask, tapped.detail)


async def on_help(_update: Update, context: DiaryContext) -> None:
    await context.act(safety_line.press_help)


async def on_help_tap(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(safety_line.press_help)


async def on_mistake(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(safety_line.press_mistake)


async def on_crisis_button(tapped: Tap, context: DiaryContext) -> None:
    await context.act(safety_line.press, tapped.detail)


async def on_compared(tapped: Tap, context: DiaryContext) -> None:
    await context.act(safety_line.compare, tapped.detail)


async def on_where(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(safety_line.ask_where)


async def on_check_in(_update: Update, context: DiaryContext) -> None:
    await context.act(check_ins.show_current)


async def on_settings(_update: Update, context: DiaryContext) -> None:
    await context.act(replies.settings)


async def on_about(_update: Update, context: DiaryContext) -> None:
    await context.act(replies.about)


async def on_pause(_update: Update, context: DiaryContext) -> None:
    await context.act(pausing.ask_pause)


async def on_pause_days(tapped: Tap, context: DiaryContext) -> None:
    await context.act(pausing.pause, tapped.detail)


async def on_resume(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(pausing.resume)


async def on_stop(_update: Update, context: DiaryContext) -> None:
    await context.act(pausing.ask_stop)


async def on_stop_tap(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(pausing.ask_stop)


async def on_stop_sure(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(pausing.stop)


async def on_location(update: Update, context: DiaryContext) -> None:
    shared = update.effective_message.location if update.effective_message else None
    if shared is not None:
        await context.act(enrolment.choose_place, shared.latitude, shared.longitude)


async def on_text(update: Update, context: DiaryContext) -> None:
    said = update.effective_message
    if said is None:
        return
    if update.edited_message is not None:
        await context.act(inbound.edited, said.text or said.caption or "")
    else:
        await context.act(inbound.text, said.text or said.caption or "", with_file=said.text is None)


async def on_unreadable(_update: Update, context: DiaryContext) -> None:
    await context.act(inbound.unreadable)


ROUTES = (
    answer(on_answer, Allow.PATIENT),
    tap("begin", on_begin, Allow.PATIENT),
    tap("snooze", on_snooze, Allow.PATIENT),
    tap("back", on_back, Allow.PATIENT),
    tap("change", on_change, Allow.PATIENT),
    tap("language", on_language, Allow.PATIENT),
    tap("consent", on_consent, Allow.PATIENT),
    tap("zone", on_zone, Allow.PATIENT),
    tap("hour", on_hour, Allow.PATIENT),
    tap("setting", on_setting, Allow.PATIENT),
    tap("help", on_help_tap, Allow.ANYBODY),
    tap("mistake", on_mistake, Allow.PATIENT),
    tap("crisis", on_crisis_button, Allow.PATIENT),
    tap("compared", on_compared, Allow.PATIENT),
    tap("where", on_where, Allow.PATIENT),
    tap("pause", on_pause_days, Allow.PATIENT),
    tap("resume", on_resume, Allow.PATIENT),
    tap("ask_stop", on_stop_tap, Allow.PATIENT),
    tap("stop", on_stop_sure, Allow.PATIENT),
    command("pause", on_pause, Allow.PATIENT),
    command("stop", on_stop, Allow.PATIENT),
    message(filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE & filters.LOCATION, on_location, Allow.PATIENT),
    command("help", on_help, Allow.ANYBODY),
    command("checkin", on_check_in, Allow.PATIENT),
    command("settings", on_settings, Allow.PATIENT),
    command("about", on_about, Allow.ANYBODY),
)

FALLBACKS = (
    message(filters.ChatType.PRIVATE & (filters.TEXT | filters.CAPTION), on_text, Allow.ANYBODY),
    message(filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE & filters.ATTACHMENT, on_unreadable, Allow.ANYBODY),
    any_tap(unknown_button, Allow.ANYBODY),
)
