"""What the care team taps and types."""

from telegram import Update

from bot.chat.application import DiaryContext
from bot.chat.callbacks import Tap
from bot.chat.handlers.routes import about, command, tap
from bot.chat.permissions import Allow
from bot.services import alerts, care, enrolment


async def on_enrol(_update: Update, context: DiaryContext) -> None:
    await context.act(enrolment.enrol, " ".join(context.args or []))


async def on_invite(tapped: Tap, context: DiaryContext) -> None:
    await context.act(enrolment.send_staff_invite, tapped.detail)


async def on_patients(_update: Update, context: DiaryContext) -> None:
    await context.act(care.list_patients)


async def on_patient(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(care.open_card, tapped.subject)


async def on_report(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(care.send_report, tapped.subject)


async def on_take(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(alerts.acknowledge, tapped.subject)


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


async def on_rota(_update: Update, context: DiaryContext) -> None:
    await context.act(care.show_rota)


async def on_first_place(_tapped: Tap, context: DiaryContext) -> None:
    await context.act(care.take_first_place)


ROUTES = (
    command("enrol", on_enrol, Allow.STAFF),
    command("patients", on_patients, Allow.STAFF),
    command("oncall", on_rota, Allow.STAFF),
    tap("invite", on_invite, Allow.ADMIN),
    tap("patient", on_patient, Allow.STAFF),
    about("card", care.show_card, Allow.STAFF),
    about("chart", care.send_chart, Allow.STAFF),
    tap("report", on_report, Allow.STAFF),
    tap("take", on_take, Allow.STAFF),
    tap("contacted", on_contacted, Allow.STAFF),
    tap("notnow", on_not_now, Allow.STAFF),
    tap("close", on_close, Allow.STAFF),
    tap("outcome", on_outcome, Allow.STAFF),
    tap("oncall", on_first_place, Allow.STAFF),
)
