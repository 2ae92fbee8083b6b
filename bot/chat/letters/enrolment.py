"""Invitations, enrolment, settings, and one-line notices."""

from io import BytesIO

import segno

from bot.chat.callbacks import Tap
from bot.chat.letters.content import Button, Content, Reader, labelled
from bot.services import reading
from bot.services.reading import LetterView
from bot.services.work import Work

LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español"}
HOURS = ("9", "12", "16", "19")


def notice(work: Work, letter: LetterView, reader: Reader) -> Content:
    """`detail` is the key of the sentence."""
    return Content(reader.say(letter.detail, phone=work.clinic.phone, clinic=work.clinic.name))


def notice_with_help(work: Work, letter: LetterView, reader: Reader) -> Content:
    return Content(notice(work, letter, reader).text, [help_row(reader)])


def link(work: Work, letter: LetterView, reader: Reader) -> Content:
    address = f"https://t.me/{reading.bot_name(work)}?start={letter.detail}"
    code = reading.patient_code(work, letter.patient_id)
    text = reader.say("invite.patient" if code else "invite.staff", link=address, code=code)
    return Content(text, photo=lambda: qr_picture(address), protect=True)


def qr_picture(address: str) -> bytes:
    picture = BytesIO()
    segno.make(address, error="m").save(picture, kind="png", scale=8, border=3)
    return picture.getvalue()


def language(_work: Work, _letter: LetterView, reader: Reader) -> Content:
    buttons = [[labelled(name, Tap("language", detail=code)) for code, name in LANGUAGES.items()]]
    return Content(reader.say("enrolment.language"), buttons)


def consent(work: Work, _letter: LetterView, reader: Reader) -> Content:
    text = reader.say("enrolment.consent", clinic=work.clinic.name, phone=work.clinic.phone)
    return Content(
        text,
        [
            [reader.button("button.consent", Tap("consent")), reader.button("button.underage", Tap("underage"))],
            help_row(reader),
        ],
    )


def zone(work: Work, _letter: LetterView, reader: Reader) -> Content:
    here = reader.button(
        "button.zone", Tap("zone", detail=work.clinic.zone),
        city=work.clinic.zone.rpartition("/")[2].replace("_", " "), time=reader.time(work.now, work.clinic.zone),
    )  # fmt: skip
    return Content(reader.say("enrolment.zone"), [[here], help_row(reader)])


def hour(work: Work, letter: LetterView, reader: Reader) -> Content:
    row = [labelled(f"{int(at):02d}:00", Tap("hour", detail=at)) for at in HOURS]
    return Content(reader.say("enrolment.hour", now=_their_time(work, letter, reader)), [row, help_row(reader)])


def moved(work: Work, letter: LetterView, reader: Reader) -> Content:
    return Content(reader.say("settings.zone_saved", now=_their_time(work, letter, reader)))


def _their_time(work: Work, letter: LetterView, reader: Reader) -> str:
    """What the clock shows there, by which everybody sees whether a misspelt town was understood."""
    patient = work.stores.patients.get(letter.patient_id) if letter.patient_id else None
    return reader.time(work.now, patient.zone if patient else work.clinic.zone)


def done(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.patient_id is None:
        return None
    patient = work.stores.patients.get(letter.patient_id)
    at = f"{patient.hour // 60:02d}:{patient.hour % 60:02d}"
    about = [reader.button("button.about_you", Tap("about_you", detail="begin"))]
    return Content(reader.say("enrolment.done", time=at), [about, help_row(reader)])


def settings(_work: Work, _letter: LetterView, reader: Reader) -> Content:
    return Content(
        reader.say("settings.what"),
        [
            [
                reader.button("button.set_hour", Tap("setting", detail="hour")),
                reader.button("button.set_zone", Tap("setting", detail="zone")),
            ],
            [
                reader.button("button.set_language", Tap("setting", detail="language")),
                reader.button("button.about_you", Tap("about_you")),
            ],
            [reader.button("button.my_data", Tap("mydata")), reader.button("button.ask_stop", Tap("ask_stop"))],
            help_row(reader),
        ],
    )


def underage(work: Work, letter: LetterView, reader: Reader) -> Content:
    return Content(reader.say("staff.underage", code=reading.patient_code(work, letter.patient_id)))


def help_row(reader: Reader) -> list[Button]:
    """One tap away from every state."""
    return [reader.button("button.help", Tap("help"))]


KINDS = {
    "notice": notice,
    "notice.help": notice_with_help,
    "invite.link": link,
    "invite.patient": link,
    "enrolment.language": language,
    "enrolment.consent": consent,
    "enrolment.zone": zone,
    "enrolment.hour": hour,
    "settings.zone_saved": moved,
    "enrolment.done": done,
    "settings": settings,
    "staff.underage": underage,
}
