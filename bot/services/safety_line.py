"""What happens when a patient asks for help, or when a text or tap reports danger, before anything else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.clinical import safety
from bot.clinical.crisis import Country
from bot.clinical.schedule import diary_day
from bot.clinical.screening import screen
from bot.clinical.terms import Finding, Level
from bot.services import alerts, judging, letters, receipts
from bot.services.receipts import Cover
from bot.services.work import Work
from storage.tables.people import Patient, PatientState, Role

Answer = tuple[UUID, str, str, int | None]  # check-in, instrument, item, value; none of it trusted


@dataclass(frozen=True, slots=True)
class Numbers:
    """Who can be reached now, for one patient."""

    clinic_phone: str
    country: Country
    plan: dict[str, str]  # the patient's own words, by the parts of about_you.PLAN
    sent_at: datetime | None  # when the first page arrived; None while none has
    cover: Cover
    zone: str
    level: Level | None


def press_help(work: Work) -> None:
    """«I need help»: numbers at once, and the press itself alerts the team. Anybody may press, also before consent."""
    patient = _patient(work)
    if patient is not None:
        finding = safety.judge_help(diary_day(work.now, patient.zone))
        judging.report_danger(work, patient, finding, f"update:{work.caller.source}")
    letters.reply(work, "help.numbers", subject=patient.id if patient else None, patient=patient, detail="mistake")


def press_mistake(work: Work) -> None:
    """«Pressed by mistake»: adds a note and cancels nothing."""
    patient = _patient(work)
    if patient is not None:
        day = diary_day(work.now, patient.zone)
        work.stores.notes.add(patient_id=patient.id, day=day, text="[pressed by mistake]", source=work.caller.source)
    letters.reply(work, "notice", detail="help.mistake_noted")


def press_not_safe(work: Work, answer: str) -> None:
    """A button of the crisis letter: "unsafe", "alone" or "call" raise to RED; "company" is noted."""
    patient = _patient(work)
    if patient is None:
        return
    day = diary_day(work.now, patient.zone)
    if answer != "company":
        finding = safety.judge_answer("safety", "safe_now", 2, {}, judging.history(work, patient), day)
        if finding is not None:
            judging.report_danger(work, patient, finding, f"update:{work.caller.source}")
    letters.reply(work, "notice", detail="crisis.noted")


def triage(work: Work, answer: Answer | None, text: str | None, *, help_pressed: bool) -> Level | None:
    """Judges a raw update before its turn: its alert and crisis letter commit on their own.

    The handler that comes later finds the same source and merges. A check-in that is over does not matter here: a
    patient who reports danger on an old button reports danger.
    """
    patient = _patient(work)
    if patient is None:
        return None
    day = diary_day(work.now, patient.zone)
    finding = judging.judge_safely(lambda: _judge(work, patient, answer, text, help_pressed=help_pressed), day)
    if finding is not None:
        judging.report_danger(work, patient, finding, f"update:{work.caller.source}")
        return finding.level
    return None


def _judge(
    work: Work, patient: Patient, answer: Answer | None, text: str | None, *, help_pressed: bool
) -> Finding | None:
    day = diary_day(work.now, patient.zone)
    if help_pressed:
        return safety.judge_help(day)
    if answer is not None:
        check_in, instrument, item, value = answer
        known = judging.answers_of(work, patient, check_in)
        return safety.judge_answer(instrument, item, value, known, judging.history(work, patient), day)
    match = screen(text, work.knowledge.patterns) if text else None
    return safety.judge_text(match, day) if match is not None else None


def triage_failed(work: Work) -> None:
    """Reading the update failed: a human reviews it at once, and nothing waits for a second try."""
    patient = _patient(work)
    if patient is not None:
        finding = safety.judge_failed(diary_day(work.now, patient.zone))
        alerts.raise_finding(work, patient, finding, f"update:{work.caller.source}")


def numbers(work: Work, patient_id: UUID | None, alert_id: UUID | None = None) -> Numbers:
    patient = work.stores.patients.get(patient_id) if patient_id else None
    alert = work.stores.alerts.find(alert_id) if alert_id else None
    return Numbers(
        clinic_phone=work.clinic.phone,
        country=work.knowledge.crisis_lines.for_country(patient.country if patient else work.clinic.country),
        plan=work.stores.patients.safety_plan(patient) if patient else {},
        sent_at=alert.reached_at if alert else None,
        cover=receipts.cover(work),
        zone=patient.zone if patient else work.clinic.zone,
        level=Level(alert.level) if alert else None,
    )


def _patient(work: Work) -> Patient | None:
    person = work.caller.person
    if person is None or person.role != Role.PATIENT:
        return None
    patient = work.stores.patients.get(person.id)
    return None if patient.state == PatientState.DECEASED else patient


def could_not_read(work: Work) -> None:
    """The update of a patient died after three tries: the care team is told; nobody waits for an answer in vain."""
    triage_failed(work)
    letters.reply(work, "notice", detail="error.unknown")
