"""Breaks that a patient takes from the questions, for some days or for good. The team is told; help stays near."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

from bot.clinical import rules
from bot.clinical.schedule import diary_day
from bot.services import alerts, courses, diary, judging, letters, privacy, standing
from bot.services.errors import StaleButton
from bot.services.work import Work
from storage.tables.people import Patient, PatientState

DAYS = ("1", "3", "7")
CAN_BREAK = (PatientState.ACTIVE, PatientState.PAUSED, PatientState.DISCHARGED)


def ask_pause(work: Work) -> None:
    letters.reply(work, "pause.ask")


def ask_stop(work: Work) -> None:
    letters.reply(work, "stop.ask")


def pause(work: Work, days: str) -> None:
    """No questions for so many days. A pause after danger, or soon after an infusion, is news for the team."""
    patient = _mine(work)
    if days not in DAYS or patient.state not in CAN_BREAK:
        raise StaleButton
    patient.state, patient.state_until = PatientState.PAUSED, work.now + timedelta(days=int(days))
    _tell_team(work, patient, "r5.paused")
    letters.reply(work, "pause.begun", detail=days, subject=patient.id, patient=patient)


def stop(work: Work) -> None:
    """No questions until the patient comes back; what was answered stays with the clinic."""
    patient = _mine(work)
    if patient.state not in CAN_BREAK:
        raise StaleButton
    patient.state, patient.state_until = PatientState.STOPPED, None
    _tell_team(work, patient, "r5.stopped")
    letters.reply(work, "stop.done", subject=patient.id, patient=patient)


def resume(work: Work) -> None:
    patient = _mine(work)
    if patient.state not in (PatientState.PAUSED, PatientState.STOPPED):
        raise StaleButton
    _go_on(work, patient)
    letters.reply(work, "notice", detail="pause.over")


def end_pauses(work: Work) -> int:
    """Does what comes after a state that was to last until now; returns for how many."""
    over = work.stores.patients.whose_state_ends(work.now)
    for patient in over:
        ENDINGS[patient.state](work, patient)
    return len(over)


def ends_on(work: Work, patient_id: UUID | None) -> date | None:
    """The first diary day on which questions come again; None when no pause is running."""
    patient = work.stores.patients.get(patient_id) if patient_id else None
    paused = patient is not None and patient.state == PatientState.PAUSED
    return diary_day(patient.state_until, patient.zone) if patient and paused and patient.state_until else None


def _go_on(work: Work, patient: Patient) -> None:
    work.stores.audit.record("patient.resumed", actor=work.caller.id, subject=patient.id)
    patient.state, patient.state_until = PatientState.ACTIVE, None
    courses.replan(work, patient)


def _tell_team(work: Work, patient: Patient, reason: str) -> None:
    work.stores.audit.record(f"patient.{patient.state}", actor=work.caller.id, subject=patient.id)
    limits = judging.limits_of(work, patient.id)
    finding = rules.judge_break(diary.of(work, patient), diary_day(work.now, patient.zone), reason, limits)
    alerts.raise_finding(work, patient, finding, f"update:{work.caller.source}")


def _mine(work: Work) -> Patient:
    return work.stores.patients.get(work.by().id)


ENDINGS: dict[PatientState, Callable[[Work, Patient], None]] = {
    PatientState.PAUSED: _go_on,
    PatientState.DISCHARGED: standing.end_high_risk,
    PatientState.LEAVING: privacy.go_on,
    PatientState.ERASED: privacy.forget_chat,
}
