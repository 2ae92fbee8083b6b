"""Curves as pictures; the caption says the same in words."""

from bot.chat.letters.content import Content, Reader
from bot.clinical.schedule import diary_day
from bot.exports import charts
from bot.services import alert_cards, care
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

    caption = charts.caption(record, library=library, texts=texts, language=language, today=today, staff=staff)
    return Content(caption, photo=make, spoiler=True)


def before_alert(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    """The weeks before an alert; asked for on its card, whose text never waits for a picture."""
    if letter.subject_id is None:
        return None
    alert = alert_cards.view(work, letter.subject_id)
    record, library = care.diary_of(work, alert.patient_id), work.knowledge.library
    today, texts, language = diary_day(work.now, record.zone), reader.texts, reader.language

    def make() -> bytes:
        return charts.alert_chart(record, library=library, texts=texts, language=language, today=today)

    caption = charts.alert_caption(record, library=library, texts=texts, language=language, today=today)
    return Content(f"{alert.patient} · {alert.code}\n{caption}", photo=make, spoiler=True)


KINDS = {"chart": patient, "patient.chart": patient, "alert.chart": before_alert}
