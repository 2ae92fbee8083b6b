"""What the care team taps and types."""

from telegram import Update

from bot.chat.application import DiaryContext
from bot.chat.callbacks import Tap
from bot.chat.handlers.routes import about, command, tap
from bot.chat.permissions import Allow
from bot.services import care, enrolment


async def on_enrol(_update: Update, context: DiaryContext) -> None:
    await context.act(enrolment.enrol, " ".join(context.args or []))


async def on_invite(tapped: Tap, context: DiaryContext) -> None:
    await context.act(enrolment.send_staff_invite, tapped.detail)


async def on_patients(_update: Update, context: DiaryContext) -> None:
    await context.act(care.list_patients)


async def on_digest(_update: Update, context: DiaryContext) -> None:
    await context.act(care.show_digest)


async def on_patient(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(care.open_card, tapped.subject)


async def on_report(tapped: Tap, context: DiaryContext) -> None:
    if tapped.subject is not None:
        await context.act(care.send_report, tapped.subject)


ROUTES = (
    command("enrol", on_enrol, Allow.STAFF),
    command("digest", on_digest, Allow.STAFF),
    command("patients", on_patients, Allow.STAFF),
    tap("invite", on_invite, Allow.ADMIN),
    tap("patient", on_patient, Allow.STAFF),
    about("card", care.show_card, Allow.STAFF),
    about("chart", care.send_chart, Allow.STAFF),
    tap("report", on_report, Allow.STAFF),
)
