"""What the clinic notes about a patient beside the answers: states, dated entries, and a message through the bot."""

from datetime import timedelta
from uuid import UUID

from bot.clinical.schedule import diary_day
from bot.services import baselines, courses, letters
from bot.services.errors import StaleButton
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.diary import CheckInState, Event
from storage.tables.people import Patient, PatientState

HIGH_RISK = timedelta(days=28)  # after a discharge from hospital; docs/clinical.md
FLAGS = ("pregnant", "travel")  # entries that last until they are ended
STATES = ("admitted", "discharged", "ended", "resumed")
TYPED = ("medication", "attempt", "message")
LONGEST = 2000


def menu(work: Work, patient_id: UUID) -> None:
    _card(work, "patient.more", work.stores.patients.get(patient_id))


def set_state(work: Work, patient_id: UUID, wanted: str) -> None:
    """Admitted and discharged are hospital stays; ended is the end of treatment here; resumed takes either back."""
    patient = _alive(work, patient_id)
    if wanted not in STATES:
        raise StaleButton
    {"admitted": _admit, "discharged": _discharge, "ended": _end, "resumed": _resume}[wanted](work, patient)
    work.stores.audit.record(f"patient.{wanted}", actor=work.caller.id, subject=patient.id)
    _card(work, "patient.card", patient)


def _admit(work: Work, patient: Patient) -> None:
    patient.state, patient.state_until = PatientState.ADMITTED, None
    _entry(work, patient, "admission")


def _discharge(work: Work, patient: Patient) -> None:
    """The four weeks after a stay are the most dangerous ones: a question every day, and silence is heard sooner."""
    for stay in lasting(work, patient, ("admission",)):
        stay.until = diary_day(work.now, patient.zone)
    patient.state, patient.state_until = PatientState.DISCHARGED, work.now + HIGH_RISK
    _entry(work, patient, "discharge")
    courses.replan(work, patient)


def _end(work: Work, patient: Patient) -> None:
    patient.state, patient.state_until = PatientState.STOPPED, None
    _entry(work, patient, "ended")
    letters.to_patient(work, patient, "standing.ended", Urgency.REPLY)


def _resume(work: Work, patient: Patient) -> None:
    patient.state, patient.state_until = PatientState.ACTIVE, None
    courses.replan(work, patient)


def end_high_risk(work: Work, patient: Patient) -> None:
    work.stores.audit.record("patient.high_risk_over", actor=None, subject=patient.id)
    _resume(work, patient)


def set_flag(work: Work, patient_id: UUID, kind: str) -> None:
    """Begins what lasts, or ends it today."""
    patient = _alive(work, patient_id)
    if kind not in FLAGS:
        raise StaleButton
    running = lasting(work, patient, (kind,))
    for entry in running:
        entry.until = diary_day(work.now, patient.zone)
    if not running:
        _entry(work, patient, kind)
    detail = f"{kind} {'off' if running else 'on'}"
    work.stores.audit.record("patient.flag", actor=work.caller.id, subject=patient.id, detail=detail)
    _card(work, "patient.more", patient)


def lasting(work: Work, patient: Patient, kinds: tuple[str, ...] = FLAGS) -> list[Event]:
    """Entries by the clinic that have begun and not ended. A travel that the patient's own phone told has no end."""
    return [
        entry
        for entry in work.stores.events.of(patient.id)
        if entry.kind in kinds and entry.until is None and entry.recorded_by != patient.id
    ]


def ask_deceased(work: Work, patient_id: UUID, confirmed: str = "0") -> None:
    """Asked twice: what follows cannot be taken back in the chat."""
    patient = _alive(work, patient_id)
    if confirmed != "2":
        _card(work, "patient.deceased", patient, detail=confirmed)
        return
    patient.state, patient.state_until = PatientState.DECEASED, None
    for row in work.stores.check_ins.waiting_for(patient.id):
        row.state, row.next_at = CheckInState.CANCELLED, None
    work.stores.outbox.withdraw(patient.id)
    _entry(work, patient, "deceased")
    work.stores.audit.record("patient.deceased", actor=work.caller.id, subject=patient.id)
    _card(work, "patient.card", patient)


def ask_text(work: Work, patient_id: UUID, kind: str) -> None:
    """A medication change or a suicide attempt to note, or a message to send: it is typed."""
    patient = _alive(work, patient_id)
    if kind not in TYPED:
        raise StaleButton
    work.stores.dialogues.enter(work.chat(), f"standing.{kind}", {"patient": str(patient.id)})
    letters.reply(work, "notice", detail=f"standing.type_{kind}")


def typed(work: Work, step: str, draft: dict[str, str], text: str) -> None:
    patient = _alive(work, UUID(draft["patient"]))
    kind = step.partition(".")[2]
    work.stores.dialogues.leave(work.chat())
    entry = _entry(work, patient, kind, text.strip()[:LONGEST])
    work.stores.audit.record(f"patient.{kind}", actor=work.caller.id, subject=patient.id)
    told = kind == "message" and letters.to_patient(
        work, patient, "standing.message", Urgency.REPLY, subject=entry.id
    )  # fmt: skip
    letters.reply(work, "notice", detail="standing.not_sent" if kind == "message" and not told else "settings.saved")


def message(work: Work, entry_id: UUID) -> str:
    return work.stores.events.text(work.stores.events.get(entry_id))


def _entry(work: Work, patient: Patient, kind: str, text: str = "") -> Event:
    day = diary_day(work.now, patient.zone)
    baselines.note_event(work, patient, kind)
    return work.stores.events.add(patient_id=patient.id, day=day, kind=kind, text=text, by=work.caller.id)


def _alive(work: Work, patient_id: UUID) -> Patient:
    patient = work.stores.patients.get(patient_id)
    if patient.state == PatientState.DECEASED:
        raise StaleButton
    return patient


def _card(work: Work, kind: str, patient: Patient, detail: str = "") -> None:
    letters.reply(
        work, kind, detail=detail, subject=patient.id, patient=patient, card=f"patient:{patient.id}", fresh=False
    )
