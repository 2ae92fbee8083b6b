"""What is stored, a copy of it, and its end."""

from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from bot.chat.callbacks import Tap
from bot.chat.letters.content import Content, Reader
from bot.chat.letters.enrolment import help_row
from bot.exports import tables
from bot.services import care, privacy, reading
from bot.services.reading import LetterView
from bot.services.work import Work


def my_data(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.person_id is None:
        return None
    shown = privacy.stored(work, letter.person_id)
    counts = {name: getattr(shown, name) for name in ("check_ins", "answers", "notes", "infusions", "alerts", "about")}
    text = reader.say("privacy.mydata", clinic=work.clinic.name, **counts)
    copy = reader.button("button.copy", Tap("copy"))
    delete = reader.button("button.ask_delete", Tap("ask_delete"))
    return Content(text, [[copy, reader.button("button.about_you", Tap("about_you"))], [delete], help_row(reader)])


def copy(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.person_id is None:
        return None
    record, library, now = care.diary_of(work, letter.person_id), work.knowledge.library, work.now
    pack = _packer(lambda: tables.render(record, library), now)
    return Content(reader.say("privacy.copy"), document=pack, filename="diary.zip")


def _packer(files: Callable[[], dict[str, bytes]], now: datetime) -> Callable[[], bytes]:
    def make() -> bytes:
        packed = BytesIO()
        with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
            for name, data in files().items():
                archive.writestr(ZipInfo(f"{name}.csv", now.timetuple()[:6]), data)
        return packed.getvalue()

    return make


def ask(_work: Work, _letter: LetterView, reader: Reader) -> Content:
    return Content(reader.say("privacy.ask"), [[reader.button("button.erase", Tap("erase"))], help_row(reader)])


def waiting(_work: Work, _letter: LetterView, reader: Reader) -> Content:
    return Content(reader.say("privacy.waiting"), [[reader.button("button.keep", Tap("keep"))], help_row(reader)])


def handover(work: Work, letter: LetterView, reader: Reader) -> Content:
    return Content(reader.say("privacy.handover", code=reading.patient_code(work, letter.patient_id)))


def erased(work: Work, letter: LetterView, reader: Reader) -> Content:
    """Nothing is known of the reader any more but the language, which the letter carries."""
    return Content(Reader(reader.texts, letter.detail).say("privacy.erased", phone=work.clinic.phone))


KINDS = {
    "privacy.mydata": my_data,
    "privacy.copy": copy,
    "privacy.ask": ask,
    "privacy.waiting": waiting,
    "privacy.handover": handover,
    "privacy.erased": erased,
}
