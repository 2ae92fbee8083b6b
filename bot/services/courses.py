"""Infusions and the check-ins that follow from them: planned as rows, planned anew whenever the list changes."""

from datetime import date, time, timedelta
from uuid import UUID, uuid4

from bot.clinical.schedule import PlannedCheckIn, Preferences, diary_day, plan
from bot.clinical.terms import Phase
from bot.services import check_ins, diary, letters
from bot.services.errors import NotADose, StaleButton, UnknownPatient
from bot.services.work import Work
from storage.tables.diary import CheckIn, CheckInState
from storage.tables.people import Patient, PatientState

HORIZON = timedelta(days=14)  # how far ahead check-ins stand as rows
INDUCTION_INFUSIONS = 6  # docs/clinical.md, "Treatment": 4 to 6 infusions, then maintenance
DOSES = (0.1, 2.0)  # mg/kg; outside of it is a slip of the finger


def record_infusion(work: Work, patient_id: UUID, dose: float, hours_ago: int = 0) -> None:
    """An infusion that was given, now or some hours ago. Check-ins are planned from today on, numbered from it."""
    low, high = DOSES
    if not low <= dose <= high:
        raise NotADose
    patient = work.stores.patients.get(patient_id)
    if patient.state == PatientState.DECEASED:
        raise UnknownPatient
    at = work.now - timedelta(hours=hours_ago)
    given = work.stores.infusions.given_to(patient.id)
    phase = Phase.INDUCTION if len(given) < INDUCTION_INFUSIONS else Phase.MAINTENANCE
    infusion = work.stores.infusions.add(
        patient_id=patient.id, phase=phase, at=at, day=diary_day(at, patient.zone), details={"dose": dose},
        recorded_by=work.by().id,
    )  # fmt: skip
    work.stores.audit.record("infusion.recorded", actor=work.caller.id, subject=patient.id, detail=str(infusion.id))
    replan(work, patient)
    letters.reply(work, "patient.card", subject=patient.id, patient=patient, card=f"patient:{patient.id}", fresh=False)


def plan_ahead(work: Work) -> int:
    """Keeps two weeks of check-ins planned for everybody who is active; returns how many patients were planned."""
    until = work.now.date() + HORIZON - timedelta(days=1)
    waiting = work.stores.patients.needing_a_plan(until)
    for patient in waiting:
        replan(work, patient)
    return len(waiting)


def replan(work: Work, patient: Patient) -> None:
    """Makes the planned rows say what the protocol says now. What was prompted or answered stays as it is."""
    if patient.state != PatientState.ACTIVE:
        return
    today = diary_day(work.now, patient.zone)
    last = today + HORIZON
    wanted = {
        (planned.day, planned.slot): planned
        for planned in plan(
            work.knowledge.library.protocol(patient.protocol),
            infusions=diary.infusions(work, patient),
            preferences=preferences(patient),
            enrolled_on=patient.enrolled_on or today,
            first=today,
            last=last,
            last_given=_last_given(work, patient, today),
        )
        if planned.expires_at > work.now
    }
    for row in work.stores.check_ins.of(patient.id, first=today):
        planned = wanted.pop((row.day, row.slot), None)
        if row.state not in (CheckInState.PLANNED, CheckInState.CANCELLED):
            continue
        if planned is None:
            row.state, row.next_at = CheckInState.CANCELLED, None
        else:
            _fill(row, planned)
    for planned in wanted.values():
        row = CheckIn(id=uuid4(), patient_id=patient.id, day=planned.day, slot=planned.slot)
        _fill(row, planned)
        work.stores.check_ins.add(row)
    patient.planned_until = last


def _fill(row: CheckIn, planned: PlannedCheckIn) -> None:
    row.state = CheckInState.PLANNED
    row.parts = check_ins.encode_parts(planned.parts)
    row.infusion_number, row.day_number = planned.infusion, planned.day_number
    row.due_at, row.remind_at, row.expires_at = planned.due_at, planned.remind_at, planned.expires_at
    row.next_at = planned.due_at


def preferences(patient: Patient) -> Preferences:
    return Preferences(zone=patient.zone, hour=time(*divmod(patient.hour, 60)), weekday=patient.weekday)


def _last_given(work: Work, patient: Patient, today: date) -> dict[str, date]:
    given = {}
    for instrument in ("phq9", "gad7", "monthly"):
        latest = work.stores.check_ins.latest_with(patient.id, instrument, today)
        if latest is not None:
            given[instrument] = latest.day
    return given


def ask_dose(work: Work, patient_id: UUID) -> None:
    letters.reply(work, "infusion.dose", subject=patient_id, card=f"patient:{patient_id}", fresh=False)


def ask_when(work: Work, patient_id: UUID, dose: str) -> None:
    try:
        float(dose)
    except ValueError:
        raise StaleButton from None
    letters.reply(work, "infusion.when", subject=patient_id, detail=dose, card=f"patient:{patient_id}", fresh=False)
