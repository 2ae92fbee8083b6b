"""What the care team looks at: the patient card, the roster and the digest."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean
from uuid import UUID

from bot.clinical import rules
from bot.clinical.diary import Diary
from bot.clinical.rules.blind import Blind
from bot.clinical.schedule import diary_day
from bot.clinical.terms import Level
from bot.services import diary, judging, letters, standing
from bot.services.errors import PatientErased, UnknownPatient
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.diary import CheckInState
from storage.tables.people import Patient, PatientState

ADHERENCE_DAYS = 28
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


def lately(work: Work, days: int) -> tuple[Diary, ...]:
    """Whoever is in care with the moods of the last days, worst first: by open alert, then by mood."""
    found = []
    for patient in work.stores.patients.all():
        if patient.state in IN_CARE:
            today = diary_day(work.now, patient.zone)
            found.append((diary.of_moods(work, patient, today - timedelta(days=days - 1)), today))
    return tuple(record for record, today in sorted(found, key=lambda entry: _how_bad(*entry)))


def _how_bad(record: Diary, today: date) -> tuple[int, float, str]:
    """The lowest is the worst; no answers in a week stand between the worst and the best mood."""
    highest = max((alert.level.rank for alert in record.alerts if alert.closed_at is None), default=-1)
    week = [mood for day, mood in record.values("daily", "mood") if day > today - timedelta(days=WEEK)]
    return -highest, fmean(week) if week else MIDDLE_MOOD, record.patient


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


def digest(work: Work) -> Digest:
    since = work.now - timedelta(days=1)
    answered, silent = [], []
    for patient in work.stores.patients.all():
        if patient.state != PatientState.ACTIVE:
            continue
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
        work.now, tuple(answered), tuple(silent),
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
