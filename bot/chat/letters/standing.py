"""What the clinic notes about a patient, on the patient's card; and what the patient hears of it."""

from bot.chat.callbacks import Tap
from bot.chat.letters.content import Content, Reader
from bot.chat.letters.enrolment import help_row
from bot.chat.letters.infusions import back_to_card
from bot.services import reading, standing
from bot.services.reading import LetterView
from bot.services.states import PatientState
from bot.services.work import Work

AWAY = (PatientState.ADMITTED, PatientState.STOPPED)


def more(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    patient = work.stores.patients.get(letter.subject_id)
    running = {entry.kind for entry in standing.lasting(work, patient)}
    stay = "discharged" if patient.state == PatientState.ADMITTED else "admitted"
    treatment = "resumed" if patient.state in AWAY else "ended"
    states = [reader.button(f"button.state.{state}", Tap("state", patient.id, state)) for state in (stay, treatment)]
    flags = [
        reader.button(f"button.flag.{kind}.{'off' if kind in running else 'on'}", Tap("flag", patient.id, kind))
        for kind in standing.FLAGS
    ]
    texts = [reader.button(f"button.entry.{kind}", Tap("entry", patient.id, kind)) for kind in standing.TYPED]
    usual = [
        reader.button("button.limits", Tap("limits", patient.id)),
        reader.button("button.baseline", Tap("baseline", patient.id, "look")),
    ]
    died = [reader.button("button.deceased", Tap("deceased", patient.id, "0"))]
    text = f"{patient.code} · {reader.say(f'state.{patient.state.value}')}"
    return Content(text, [states, flags, texts, usual, died, back_to_card(patient.id, reader)])


def deceased(work: Work, letter: LetterView, reader: Reader) -> Content:
    again = letter.detail != "0"
    text = reader.say("deceased.again" if again else "deceased.ask", code=_code(work, letter))
    sure = reader.button(
        "button.deceased_sure", Tap("deceased", letter.subject_id, "2" if again else "1"), code=_code(work, letter)
    )
    return Content(text, [[sure], back_to_card(letter.subject_id, reader)])


def ended(work: Work, _letter: LetterView, reader: Reader) -> Content:
    return Content(reader.say("standing.ended", clinic=work.clinic.name, phone=work.clinic.phone), [help_row(reader)])


def message(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    text = standing.message(work, letter.subject_id)
    return Content(reader.say("standing.message", clinic=work.clinic.name, text=text), [help_row(reader)])


def _code(work: Work, letter: LetterView) -> str:
    return reading.patient_code(work, letter.subject_id)


KINDS = {
    "patient.more": more,
    "patient.deceased": deceased,
    "standing.ended": ended,
    "standing.message": message,
}
