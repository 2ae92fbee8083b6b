"""The check-ins that follow from infusions: planned as rows, planned anew whenever the list changes."""

from dataclasses import replace
from datetime import date, time, timedelta
from uuid import uuid4

from bot.clinical.diary import Infusion
from bot.clinical.schedule import PlannedCheckIn, Preferences, diary_day, plan
from bot.clinical.terms import Phase
from bot.services import check_ins, diary
from bot.services.work import Work
from storage.tables.diary import CheckIn, CheckInState
from storage.tables.people import Patient, PatientState

HORIZON = timedelta(days=14)  # how far ahead check-ins stand as rows
ASKED_STATES = (PatientState.ACTIVE, PatientState.DISCHARGED)


def plan_ahead(work: Work) -> int:
    """Keeps two weeks of check-ins planned for everybody who is asked; returns how many patients were planned."""
    waiting = work.stores.patients.needing_a_plan(planned_at_least_until(work))
    for patient in waiting:
        replan(work, patient)
    return len(waiting)


def planned_at_least_until(work: Work) -> date:
    """Half of the horizon, so that each patient is planned anew once a week and not all of them every midnight."""
    return work.now.date() + HORIZON / 2


def replan(work: Work, patient: Patient) -> None:
    """Makes the planned rows say what the protocol says now. What was prompted or answered stays as it is."""
    if patient.state not in ASKED_STATES:
        return
    today = diary_day(work.now, patient.zone)
    last = today + HORIZON
    high_risk_ends = patient.state_until if patient.state == PatientState.DISCHARGED else None
    wanted = {
        (planned.day, planned.slot): planned
        for planned in plan(
            work.knowledge.library.protocol(patient.protocol),
            infusions=expected(work, patient, today),
            preferences=preferences(patient),
            enrolled_on=patient.enrolled_on or today,
            first=today,
            last=last,
            last_given=work.stores.responses.last_days_of(patient.id),
            daily_until=diary_day(high_risk_ends, patient.zone) if high_risk_ends else None,
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


def expected(work: Work, patient: Patient, today: date) -> tuple[Infusion, ...]:
    """The infusions that were given, and after them the appointments from today on, numbered through."""
    given = diary.infusions(work, patient)
    appointments = work.stores.infusions.planned_for(patient.id, today)
    days = {infusion.day for infusion in given}
    coming = [row for row in appointments if row.day not in days]
    ahead = [Infusion(number=0, given_at=row.at, day=row.day, phase=Phase(row.phase)) for row in coming]
    return (*given, *(replace(one, number=len(given) + place) for place, one in enumerate(ahead, 1)))


def _fill(row: CheckIn, planned: PlannedCheckIn) -> None:
    row.state = CheckInState.PLANNED
    row.parts = check_ins.encode_parts(planned.parts)
    row.infusion_number, row.day_number = planned.infusion, planned.day_number
    row.due_at, row.remind_at, row.expires_at = planned.due_at, planned.remind_at, planned.expires_at
    row.next_at = planned.due_at


def preferences(patient: Patient) -> Preferences:
    return Preferences(zone=patient.zone, hour=time(*divmod(patient.hour, 60)), weekday=patient.weekday)
