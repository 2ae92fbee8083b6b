"""Curves as pictures; the caption says the same in words."""

from bot.chat.letters.content import Content, Reader
from bot.clinical.schedule import diary_day
from bot.exports import charts
from bot.services import care
from bot.services.reading import LetterView
from bot.services.work import Work


def patient(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    """Covered until it is tapped: somebody may look over a shoulder."""
    if letter.subject_id is None:
        return None
    record, library = care.diary_of(work, letter.subject_id), work.knowledge.library
    today, texts, language = diary_day(work.now, record.zone), reader.texts, reader.language

    staff = letter.kind != "chart"  # the patient's own look has no alerts

    def make() -> bytes:
        return charts.patient_chart(record, library=library, texts=texts, language=language, today=today, staff=staff)

    caption = charts.caption(record, library=library, texts=texts, language=language, today=today)
    return Content(caption, photo=make, spoiler=True)


KINDS = {"chart": patient, "patient.chart": patient}
