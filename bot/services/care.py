"""What the care team looks at: the patient card, the roster and the digest."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.clinical import rules
from bot.clinical.diary import Diary
from bot.clinical.rules.blind import Blind
from bot.clinical.schedule import diary_day
from bot.clinical.terms import Level
from bot.services import diary, infusions, judging, letters, standing
from bot.services.errors import PatientErased, UnknownPatient
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.diary import CheckInState
from storage.tables.people import Patient, PatientState

ADHERENCE_DAYS = 28
FOLLOWED = (PatientState.ACTIVE, PatientState.DISCHARGED)  # asked every day
LOW_MOOD = 3  # of 10; named in the digest, so that a patient who reports it can be told who will see it
WEEK = 7
MIDDLE_MOOD = 5.0
IN_CARE = (PatientState.ACTIVE, PatientState.PAUSED, PatientState.ADMITTED, PatientState.DISCHARGED)


@dataclass(frozen=True, slots=True)
class PatientCard:
    id: UUID
    code: str
    state: PatientState
    infusions: int
    days_since_infusion: int | None
    next_infusion: datetime | None
    zone: str
    moods: tuple[tuple[date, int], ...]  # the last seven answered days
    answered: int  # of the last 28 days
    asked: int
    open_alerts: tuple[tuple[str, Level], ...]
    contact: dict[str, str]
    blind: tuple[Blind, ...]  # rules that cannot alarm, and why
    flags: tuple[str, ...]  # what lasts: pregnancy, travel
    high_risk_until: date | None  # after a discharge from hospital


@dataclass(frozen=True, slots=True)
class Digest:
    day: datetime
    answered: tuple[str, ...]
    silent: tuple[str, ...]
    low: tuple[str, ...]  # whose mood was low
    overdue: tuple[tuple[str, date], ...]  # appointments that have passed: was the infusion given?
    open_alerts: tuple[tuple[str, str, Level], ...]


def list_patients(work: Work) -> None:
    letters.reply(work, "patient.list")


def open_card(work: Work, patient_id: UUID) -> None:
    patient = _shown(work, patient_id)
    letters.reply(work, "patient.card", subject=patient.id, patient=patient, card=f"patient:{patient.id}")
    work.stores.audit.record("patient.viewed", actor=work.caller.id, subject=patient.id)


def show_card(work: Work, patient_id: UUID) -> None:
    """Back to the card, in the message that showed something else about the patient."""
    patient = _shown(work, patient_id)
    work.stores.dialogues.leave(work.chat())
    letters.reply(work, "patient.card", subject=patient.id, patient=patient, card=f"patient:{patient.id}", fresh=False)


def _shown(work: Work, patient_id: UUID) -> Patient:
    """Raises `PatientErased` on an old button about somebody whose data is gone."""
    patient = work.stores.patients.get(patient_id)
    if patient.state == PatientState.ERASED:
        raise PatientErased
    return patient


def find(work: Work, code: str) -> Patient:
    patient = work.stores.patients.by_code(code)
    if patient is None or patient.state == PatientState.ERASED:
        raise UnknownPatient
    return patient


def send_report(work: Work, patient_id: UUID) -> None:
    patient = _shown(work, patient_id)
    work.stores.audit.record("report.made", actor=work.caller.id, subject=patient.id)
    letters.reply(work, "patient.report", subject=patient.id, patient=patient)


def roster(work: Work) -> tuple[tuple[UUID, str, PatientState], ...]:
    return tuple((patient.id, patient.code, patient.state) for patient in work.stores.patients.all())


def lately(work: Work, days: int, most: int) -> tuple[tuple[Diary, ...], int]:
    """The `most` worst of whoever is in care, worst first, with the moods of the last days; and how many others."""
    ordered = _worst_first(work)
    shown = ordered[:most]
    first = {patient.id: diary_day(work.now, patient.zone) - timedelta(days=days - 1) for patient in shown}
    moods = work.stores.responses.of_item_since(first, "daily", "mood", min(first.values(), default=date.max))
    lines = tuple(diary.of_moods(work, patient, first[patient.id], moods[patient.id]) for patient in shown)
    return lines, len(ordered) - len(shown)


def _worst_first(work: Work) -> list[Patient]:
    """By open alert, then by the mood of a week; no answers stand between the worst and the best mood."""
    patients = [patient for patient in work.stores.patients.all() if patient.state in IN_CARE]
    highest: dict[UUID, int] = {}
    for alert in work.stores.alerts.all_open():
        highest[alert.patient_id] = max(Level(alert.level).rank, highest.get(alert.patient_id, -1))
    since = diary_day(work.now, work.clinic.zone) - timedelta(days=WEEK - 1)
    answers = work.stores.responses.of_item_since([patient.id for patient in patients], "daily", "mood", since)

    def how_bad(patient: Patient) -> tuple[int, float, str]:
        newest = {answer.check_in_id: work.stores.responses.value(answer) for answer in answers[patient.id]}
        week = [value for value in newest.values() if value is not None]
        return -highest.get(patient.id, -1), fmean(week) if week else MIDDLE_MOOD, patient.code

    return sorted(patients, key=how_bad)


def card(work: Work, patient_id: UUID) -> PatientCard:
    patient = work.stores.patients.get(patient_id)
    record = diary.of(work, patient)
    today = diary_day(work.now, patient.zone)
    asked = [
        row
        for row in work.stores.check_ins.of(patient.id, first=today - timedelta(days=ADHERENCE_DAYS))
        if row.delivered_at is not None
    ]
    coming = work.stores.infusions.planned_for(patient.id, today)
    return PatientCard(
        id=patient.id, code=patient.code, state=patient.state, infusions=len(record.infusions),
        days_since_infusion=(today - record.infusions[-1].day).days if record.infusions else None,
        next_infusion=coming[0].at if coming else None, zone=patient.zone,
        moods=tuple(record.values("daily", "mood"))[-7:],
        answered=sum(row.state == CheckInState.FINISHED for row in asked), asked=len(asked),
        open_alerts=tuple(
            (alert.code, Level(alert.level)) for alert in work.stores.alerts.of(patient.id) if alert.closed_at is None
        ),
        contact=work.stores.patients.contact(patient),
        blind=rules.blind_rules(record, today, judging.limits_of(work, patient.id)),
        flags=tuple(entry.kind for entry in standing.lasting(work, patient)),
        high_risk_until=diary_day(patient.state_until, patient.zone)
        if patient.state == PatientState.DISCHARGED and patient.state_until
        else None,
    )  # fmt: skip


def send_chart(work: Work, patient_id: UUID) -> None:
    patient = _shown(work, patient_id)
    work.stores.audit.record("patient.viewed", actor=work.caller.id, subject=patient.id)
    letters.reply(work, "patient.chart", subject=patient.id, patient=patient)


def send_alert_chart(work: Work, alert_id: UUID) -> None:
    """The weeks before an alert, for whoever looks at its card."""
    patient = _shown(work, work.stores.alerts.get(alert_id).patient_id)
    work.stores.audit.record("patient.viewed", actor=work.caller.id, subject=patient.id)
    letters.reply(work, "alert.chart", subject=alert_id, patient=patient)


def own_chart(work: Work) -> None:
    """/chart: the patient's own curve."""
    letters.reply(work, "chart", subject=work.by().id)


def diary_of(work: Work, patient_id: UUID) -> Diary:
    return diary.of(work, work.stores.patients.get(patient_id))


def export(work: Work, code: str, kind: str) -> Diary:
    """The diary for a file that leaves the product; that is written into the audit trail."""
    patient = find(work, code)
    work.stores.audit.record("diary.exported", actor=work.caller.id, subject=patient.id, detail=kind)
    return diary.of(work, patient)


def send_digest(work: Work) -> None:
    """The silent morning message to everybody on staff."""
    for person in work.stores.people.staff():
        letters.to_person(work, person, "digest", Urgency.DIGEST)


def show_digest(work: Work) -> None:
    """/digest: the same at any time."""
    letters.reply(work, "digest")


def next_digest(work: Work) -> datetime:
    """When staff get the next one."""
    zone = ZoneInfo(work.clinic.zone)
    today = datetime.combine(work.now.astimezone(zone), work.clinic.digest_at, zone)
    return today if today > work.now else today + timedelta(days=1)


def digest(work: Work) -> Digest:
    since = work.now - timedelta(days=1)
    answered, silent, low, overdue = [], [], [], []
    for patient in work.stores.patients.all():
        if patient.state not in FOLLOWED:
            continue
        overdue += [(patient.code, row.day) for row in infusions.overdue(work, patient)]
        moods = work.stores.responses.of_item(patient.id, "daily", "mood")
        lately = [work.stores.responses.value(row) for row in moods if row.answered_at >= since]
        if any(value is not None and value <= LOW_MOOD for value in lately):
            low.append(patient.code)
        rows = [
            row
            for row in work.stores.check_ins.of(patient.id, first=since.date())
            if row.prompted_at is not None and row.prompted_at >= since
        ]
        if any(row.finished_at is not None for row in rows):
            answered.append(patient.code)
        elif rows:
            silent.append(patient.code)
    return Digest(
        work.now, tuple(answered), tuple(silent), tuple(low), tuple(overdue),
        tuple(
            (alert.code, work.stores.patients.get(alert.patient_id).code, Level(alert.level))
            for alert in work.stores.alerts.all_open()
        ),
    )  # fmt: skip


def staff_chats(work: Work) -> list[tuple[int, str]]:
    """Telegram's number of each member's chat, and the language spoken there."""
    chats = work.stores.chats
    return [(chats.number(chats.get(person.chat_id)), person.language) for person in work.stores.people.staff()]


def greet_group(work: Work) -> None:
    """The bot was added to the team's group by a member of staff."""
    work.stores.audit.record("team.group", actor=work.caller.id)
    letters.to_chat(work, work.chat(), "notice", Urgency.REPLY, detail="team.welcome")
