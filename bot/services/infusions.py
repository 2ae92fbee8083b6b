"""Infusions as the clinic enters them: given, planned, moved, cancelled, and corrected where the entry was wrong."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.clinical.schedule import diary_day
from bot.clinical.terms import Phase
from bot.services import courses, letters
from bot.services.errors import (
    DayInFuture,
    DayInPast,
    DayTooFar,
    InfusionTwice,
    NotADay,
    NotADose,
    NotAPressure,
    StaleButton,
    UnknownPatient,
)
from bot.services.work import Work
from storage.tables.diary import Infusion, InfusionState
from storage.tables.people import Patient, PatientState

INDUCTION_INFUSIONS = 6  # docs/clinical.md, "Treatment": 4 to 6 infusions, then maintenance
DOSES = (0.1, 2.0)  # mg/kg; outside of it is a slip of the finger
SYSTOLIC, DIASTOLIC = (60, 260), (30, 160)  # mmHg
LATEST, FURTHEST = timedelta(days=400), timedelta(days=400)
USUAL_HOUR = time(10, 0)  # of an appointment, when only its day is known
SHOWN = 8
MONTHS = 12

DAY = re.compile(
    r"\s*(?:(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})|(?P<day2>\d{1,2})\.(?P<month2>\d{1,2})\.(?P<year2>\d{4})"
    r"|(?P<first>\d{1,2})/(?P<second>\d{1,2})/(?P<year3>\d{4})|(?P<word>[^\W\d]+))"
    r"(?:[ T,]+(?P<hour>\d{1,2})[:.](?P<minute>\d{2}))?\s*"
)
WORDS = {"today": 0, "heute": 0, "hoy": 0, "yesterday": 1, "gestern": 1, "ayer": 1}  # days ago
PRESSURE = re.compile(r"\s*(\d{2,3})\s*/\s*(\d{2,3})\s*")


@dataclass(frozen=True, slots=True)
class Entry:
    """An infusion as its list and its own message show it."""

    id: UUID
    patient: UUID
    code: str
    state: InfusionState
    at: datetime
    day: date
    dose: float | None
    pressure: str  # "120/80", or empty
    zone: str  # the clinic's: that is where it is given, wherever the patient is otherwise
    overdue: bool  # planned, its day has passed, and nobody has recorded it


def ask_dose(work: Work, patient_id: UUID) -> None:
    _card(work, "infusion.dose", patient_id)


def ask_when(work: Work, patient_id: UUID, dose: str) -> None:
    _dose(dose)
    _card(work, "infusion.when", patient_id, detail=dose)


def ask_other_day(work: Work, patient_id: UUID, dose: str) -> None:
    """An infusion that is entered late: its day is typed."""
    _dose(dose)
    work.stores.dialogues.enter(work.chat(), "infusion.given", {"patient": str(patient_id), "dose": dose})
    letters.reply(work, "notice", detail="infusion.type_day")


def record(work: Work, patient_id: UUID, dose: str, hours_ago: str) -> None:
    """Given now or some hours ago. Check-ins are planned from today on, numbered from it."""
    if not hours_ago.isdigit():
        raise StaleButton
    record_at(work, patient_id, _dose(dose), work.now - timedelta(hours=int(hours_ago)))


def record_at(work: Work, patient_id: UUID, dose: float, at: datetime, *, fresh: bool = False) -> None:
    """`fresh` shows the card below what was typed, instead of far above it."""
    patient = _patient(work, patient_id)
    _check_given(work, at)
    day = diary_day(at, patient.zone)
    if any(row.day == day for row in work.stores.infusions.given_to(patient.id)):
        raise InfusionTwice
    appointment = next((row for row in work.stores.infusions.planned_for(patient.id, day) if row.day == day), None)
    if appointment is not None:
        appointment.state, appointment.at, appointment.recorded_by = InfusionState.GIVEN, at, work.by().id
        work.stores.infusions.set_details(appointment, {"dose": dose})
    given = appointment or _add(work, patient, at, {"dose": dose}, InfusionState.GIVEN)
    work.stores.audit.record("infusion.recorded", actor=work.caller.id, subject=patient.id, detail=str(given.id))
    courses.replan(work, patient)
    work.stores.dialogues.enter(work.chat(), "infusion.pressure", {"infusion": str(given.id)})
    _card(work, "infusion.recorded", patient.id, detail=str(given.id), fresh=fresh)


def ask_plan(work: Work, patient_id: UUID) -> None:
    """The day of the next infusion: a button, or typed."""
    work.stores.dialogues.enter(work.chat(), "infusion.plan", {"patient": str(patient_id)})
    _card(work, "infusion.plan", patient_id)


def plan_in(work: Work, patient_id: UUID, days: str) -> None:
    if not days.isdigit():
        raise StaleButton
    zone = ZoneInfo(work.clinic.zone)
    day = diary_day(work.now, zone.key) + timedelta(days=int(days))
    plan_at(work, patient_id, datetime.combine(day, USUAL_HOUR, zone))


def plan_at(work: Work, patient_id: UUID, at: datetime, *, fresh: bool = False) -> None:
    """An appointment: its check-ins stand from now on, and move or go with it."""
    patient = _patient(work, patient_id)
    day = diary_day(at, patient.zone)
    _check_planned(work, patient, day)
    if all(row.day != day for row in work.stores.infusions.planned_for(patient.id, day)):
        row = _add(work, patient, at, {}, InfusionState.PLANNED)
        work.stores.audit.record("infusion.planned", actor=work.caller.id, subject=patient.id, detail=str(row.id))
    _changed(work, patient, fresh=fresh)


def show_list(work: Work, patient_id: UUID) -> None:
    _card(work, "infusion.list", patient_id)


def open_one(work: Work, infusion_id: UUID) -> None:
    row = _row(work, infusion_id)
    _one(work, row, "infusion.one")


def move(work: Work, infusion_id: UUID) -> None:
    """Another day or hour for an appointment, or for an infusion that was entered wrongly: it is typed."""
    row = _row(work, infusion_id)
    work.stores.dialogues.enter(work.chat(), "infusion.move", {"infusion": str(row.id)})
    letters.reply(work, "notice", detail="infusion.type_day")


def move_to(work: Work, infusion_id: UUID, at: datetime) -> None:
    row = _row(work, infusion_id)
    patient = _patient(work, row.patient_id)
    day = diary_day(at, patient.zone)
    if row.state == InfusionState.PLANNED:
        _check_planned(work, patient, day)
    else:
        _check_given(work, at)
    row.at, row.day = at, day
    act = "infusion.moved" if row.state == InfusionState.PLANNED else "infusion.corrected"
    work.stores.audit.record(act, actor=work.caller.id, subject=patient.id, detail=f"{row.id} time")
    _changed(work, patient, fresh=True)


def ask_new_dose(work: Work, infusion_id: UUID) -> None:
    _one(work, _row(work, infusion_id), "infusion.new_dose")


def set_dose(work: Work, infusion_id: UUID, dose: str) -> None:
    """Corrects the dose; who did it and when is in the audit trail, what it was before beside it in the diary."""
    row = _row(work, infusion_id)
    patient = _patient(work, row.patient_id)
    details = work.stores.infusions.details(row)
    earlier, details["dose"] = details.get("dose"), _dose(dose)
    work.stores.infusions.set_details(row, details)
    work.stores.events.add(
        patient_id=patient.id, day=row.day, kind="correction", text=f"{earlier} → {details['dose']} mg/kg",
        by=work.caller.id,
    )  # fmt: skip
    work.stores.audit.record("infusion.corrected", actor=work.caller.id, subject=patient.id, detail=f"{row.id} dose")
    _changed(work, patient)


def ask_pressure(work: Work, infusion_id: UUID) -> None:
    row = _row(work, infusion_id)
    work.stores.dialogues.enter(work.chat(), "infusion.pressure", {"infusion": str(row.id)})
    letters.reply(work, "notice", detail="infusion.type_pressure")


def set_pressure(work: Work, infusion_id: UUID, text: str) -> None:
    row = _row(work, infusion_id)
    read = PRESSURE.fullmatch(text)
    systolic, diastolic = (int(read[1]), int(read[2])) if read else (0, 0)
    if not (SYSTOLIC[0] <= systolic <= SYSTOLIC[1] and DIASTOLIC[0] <= diastolic <= DIASTOLIC[1]):
        raise NotAPressure
    details = {**work.stores.infusions.details(row), "systolic": float(systolic), "diastolic": float(diastolic)}
    work.stores.infusions.set_details(row, details)
    detail = f"{row.id} pressure"
    work.stores.audit.record("infusion.corrected", actor=work.caller.id, subject=row.patient_id, detail=detail)
    work.stores.dialogues.leave(work.chat())
    _one(work, row, "infusion.one", fresh=True)


def ask_remove(work: Work, infusion_id: UUID) -> None:
    """Once more, before an appointment is cancelled or a wrong entry deleted."""
    _one(work, _row(work, infusion_id), "infusion.remove")


def remove(work: Work, infusion_id: UUID) -> None:
    """The row stays, as cancelled: the audit trail can still say what was taken back."""
    row = _row(work, infusion_id)
    patient = _patient(work, row.patient_id)
    act = "infusion.cancelled" if row.state == InfusionState.PLANNED else "infusion.deleted"
    row.state = InfusionState.CANCELLED
    work.stores.audit.record(act, actor=work.caller.id, subject=patient.id, detail=str(row.id))
    _changed(work, patient)


def typed(work: Work, step: str, draft: dict[str, str], text: str) -> None:
    """What staff typed when a day or a blood pressure was asked for."""
    if step == "infusion.pressure":
        set_pressure(work, UUID(draft["infusion"]), text)
        return
    row = work.stores.infusions.find(UUID(draft["infusion"])) if "infusion" in draft else None
    patient = work.stores.patients.get(row.patient_id if row else UUID(draft["patient"]))
    at = day_typed(text, work.clinic.zone, work.now, day_first=work.by().language != "en")
    if step == "infusion.given":
        record_at(work, patient.id, _dose(draft["dose"]), at, fresh=True)
    elif step == "infusion.plan":
        plan_at(work, patient.id, at, fresh=True)
    elif row is not None:
        move_to(work, row.id, at)


def day_typed(text: str, zone: str, now: datetime, *, day_first: bool = True) -> datetime:
    """«2026-03-14», «14.3.2026», «yesterday», each also with an hour; else ten in the morning, or now if earlier.

    «3/4/2026» is March or April: without `day_first`, it is read only when one of the two can be no month.
    """
    read = DAY.fullmatch(text)
    if read is None:
        raise NotADay
    try:
        day = _day_of(read, now.astimezone(ZoneInfo(zone)).date(), day_first=day_first)
        at = time(int(read["hour"]), int(read["minute"])) if read["hour"] else USUAL_HOUR
    except ValueError:
        raise NotADay from None
    moment = datetime.combine(day, at, ZoneInfo(zone))
    is_today = day == now.astimezone(ZoneInfo(zone)).date()
    return min(moment, now) if is_today and not read["hour"] else moment


def _day_of(read: re.Match[str], today: date, *, day_first: bool) -> date:
    """Raises ValueError when it is no day, and when it could be two."""
    if read["word"]:
        ago = WORDS.get(read["word"].casefold())
        if ago is None:
            raise ValueError(read["word"])
        return today - timedelta(days=ago)
    if read["first"]:
        first, second, year = int(read["first"]), int(read["second"]), int(read["year3"])
        if day_first or (first > MONTHS and second <= MONTHS):
            return date(year, second, first)
        if second > MONTHS or first == second:
            return date(year, first, second)
        raise ValueError("either could be the month")
    year, month, day = (int(read[part] or read[f"{part}2"]) for part in ("year", "month", "day"))
    return date(year, month, day)


def _check_given(work: Work, at: datetime) -> None:
    if at > work.now:
        raise DayInFuture
    if at < work.now - LATEST:
        raise DayTooFar


def _check_planned(work: Work, patient: Patient, day: date) -> None:
    if day < diary_day(work.now, patient.zone):
        raise DayInPast
    if day > diary_day(work.now + FURTHEST, patient.zone):
        raise DayTooFar


def overdue(work: Work, patient: Patient) -> list[Infusion]:
    """Appointments whose day has passed: nobody has said whether the infusion was given."""
    today = diary_day(work.now, patient.zone)
    earlier = work.stores.infusions.planned_for(patient.id, today - LATEST)
    return [row for row in earlier if row.day < today]


def entries(work: Work, patient_id: UUID) -> tuple[Entry, ...]:
    """Appointments first, then what was given, newest first."""
    patient = work.stores.patients.get(patient_id)
    today = diary_day(work.now, patient.zone)
    coming = [*overdue(work, patient), *work.stores.infusions.planned_for(patient_id, today)]
    given = work.stores.infusions.given_to(patient_id)[::-1]
    return tuple(entry(work, row.id) for row in [*coming, *given][:SHOWN])


def entry(work: Work, infusion_id: UUID) -> Entry:
    row = work.stores.infusions.get(infusion_id)
    details = work.stores.infusions.details(row)
    pressure = f"{details['systolic']:.0f}/{details['diastolic']:.0f}" if "systolic" in details else ""
    patient = work.stores.patients.get(row.patient_id)
    late = row.state == InfusionState.PLANNED and row.day < diary_day(work.now, patient.zone)
    return Entry(
        row.id, patient.id, patient.code, row.state, row.at, row.day, details.get("dose"), pressure, work.clinic.zone,
        late,
    )  # fmt: skip


def _add(work: Work, patient: Patient, at: datetime, details: dict[str, float], state: InfusionState) -> Infusion:
    given = work.stores.infusions.given_to(patient.id)
    return work.stores.infusions.add(
        patient_id=patient.id, phase=Phase.INDUCTION if len(given) < INDUCTION_INFUSIONS else Phase.MAINTENANCE,
        at=at, day=diary_day(at, patient.zone), details=details, recorded_by=work.by().id, state=state,
    )  # fmt: skip


def _changed(work: Work, patient: Patient, *, fresh: bool = False) -> None:
    work.stores.dialogues.leave(work.chat())
    courses.replan(work, patient)
    _card(work, "infusion.list", patient.id, fresh=fresh)


def _row(work: Work, infusion_id: UUID) -> Infusion:
    row = work.stores.infusions.find(infusion_id)
    if row is None or row.state == InfusionState.CANCELLED:
        raise StaleButton
    return row


def _patient(work: Work, patient_id: UUID) -> Patient:
    patient = work.stores.patients.get(patient_id)
    if patient.state == PatientState.DECEASED:
        raise UnknownPatient
    return patient


def _dose(text: str) -> float:
    try:
        dose = float(text)
    except ValueError:
        raise StaleButton from None
    low, high = DOSES
    if not low <= dose <= high:
        raise NotADose
    return dose


def _card(work: Work, kind: str, patient_id: UUID, detail: str = "", *, fresh: bool = False) -> None:
    patient = work.stores.patients.get(patient_id)
    letters.reply(
        work, kind, detail=detail, subject=patient.id, patient=patient, card=f"patient:{patient.id}", fresh=fresh
    )


def _one(work: Work, row: Infusion, kind: str, *, fresh: bool = False) -> None:
    patient = work.stores.patients.get(row.patient_id)
    letters.reply(work, kind, subject=row.id, patient=patient, card=f"patient:{patient.id}", fresh=fresh)
