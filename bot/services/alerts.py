"""Alerts: raised by findings, escalated by time, taken, contacted, handed over and closed by people."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bot.clinical import escalation
from bot.clinical.terms import Finding, Level, Rule
from bot.services import letters
from bot.services.errors import AlertClosed, StaleButton
from bot.services.letters import Urgency
from bot.services.work import Work
from bot.settings import Ladder
from storage.tables.alerts import Alert, AlertState
from storage.tables.people import Patient, Person

OUTCOMES = ("safe", "plan", "emergency", "unreached", "false_alarm")


@dataclass(frozen=True, slots=True)
class FindingView:
    reason: str
    values: dict[str, float | int | str]
    level: str
    found_at: datetime


@dataclass(frozen=True, slots=True)
class AlertView:
    """What an alert card shows."""

    id: UUID
    code: str
    patient: str
    level: Level
    rule: Rule
    state: AlertState
    raised_at: datetime
    zone: str
    owner: str | None
    acknowledged_at: datetime | None
    contacted_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    days_since_infusion: int | None
    contact: dict[str, str]
    findings: tuple[FindingView, ...]


def raise_finding(work: Work, patient: Patient, finding: Finding, source: str) -> Alert | None:
    """Stores what a rule saw and raises, or raises again, the alert of its rule. Levels of an open alert only rise.

    The same source counts once, unless a second look at it is graver than the first: triage sees an answer alone, the
    handler sees it beside the others. A NOTE is kept for the digest and opens no alert.
    """
    seen = work.stores.findings.levels_from(patient.id, finding.rule, source)
    if any(Level(level).at_least(finding.level) for level in seen):
        return None
    row = work.stores.findings.add(
        patient_id=patient.id,
        rule=finding.rule,
        level=finding.level,
        day=finding.day,
        reason=finding.reason,
        values=finding.values,
        source=source,
    )
    if finding.level == Level.NOTE:
        return None
    alert = work.stores.alerts.open_for(patient.id, finding.rule)
    if alert is None:
        alert = work.stores.alerts.add(
            patient_id=patient.id, rule=finding.rule, level=finding.level, next_step_at=work.now
        )
        work.stores.audit.record("alert.raised", actor=None, subject=alert.id, detail=f"{finding.rule} {finding.level}")
        row.alert_id = alert.id
        _start_clock(work, alert)
    else:
        row.alert_id = alert.id
        _add_to_open(work, alert, finding)
    escalate(work, alert)
    return alert


def _add_to_open(work: Work, alert: Alert, finding: Finding) -> None:
    rises = finding.level.rank > Level(alert.level).rank
    speaks_of_danger = finding.rule == Rule.SUICIDAL_THOUGHTS and finding.level.at_least(Level.ORANGE)
    if rises:
        work.stores.audit.record("alert.rose", actor=None, subject=alert.id, detail=f"{alert.level} to {finding.level}")
        alert.level = finding.level
    # Somebody has taken this alert knowing less than it says now: it must be taken again.
    if rises or (speaks_of_danger and alert.state != AlertState.OPEN):
        alert.state, alert.owner_id, alert.acknowledged_at = AlertState.OPEN, None, None
        _start_clock(work, alert)
    show_everywhere(work, alert)


def _start_clock(work: Work, alert: Alert) -> None:
    alert.clock_from, alert.round = work.now, 0
    alert.next_step_at = work.now if Level(alert.level).at_least(Level.ORANGE) else _working(work)


def _working(work: Work) -> datetime:
    hours = work.clinic.working_hours
    return escalation.next_working_moment(work.now, hours.days, hours.opens, hours.closes, work.clinic.zone)


def _next_working_day(work: Work) -> datetime:
    hours = work.clinic.working_hours
    return escalation.next_working_day(work.now, hours.days, hours.opens, hours.closes, work.clinic.zone)


def escalate_due(work: Work) -> int:
    """Does every escalation step that is due; returns how many alerts moved."""
    due = work.stores.alerts.due_for_a_step(work.now)
    for alert in due:
        if alert.state == AlertState.OPEN:
            escalate(work, alert)
        else:
            _owner_is_late(work, alert)
    return len(due)


def escalate(work: Work, alert: Alert) -> None:
    """Pages whoever is to be paged now, when the step is due."""
    if alert.state != AlertState.OPEN or alert.next_step_at is None or alert.next_step_at > work.now:
        return
    ladder = _ladder(work, alert)
    if ladder is None:
        reach, alert.next_step_at = _everybody(work) if alert.round else _rota(work)[:1], _next_working_day(work)
    else:
        times = escalation.Times(ladder.repeat, ladder.next_person, ladder.second_road, ladder.everybody)
        step = escalation.step(times, alert.clock_from, work.now)
        reach = _everybody(work) if step.reach is None else _rota(work)[: step.reach]
        alert.next_step_at = step.next_at
    alert.round += 1
    patient = work.stores.patients.get(alert.patient_id)
    for person in reach:
        letters.to_person(
            work, person, "alert.page", Urgency.ALERT, patient=patient, subject=alert.id, card=card_of(alert)
        )
    for chat in work.stores.chats.team():
        letters.to_chat(work, chat, "alert.team", Urgency.ALERT, patient=patient, subject=alert.id, card=card_of(alert))
    work.stores.audit.record("alert.paged", actor=None, subject=alert.id, detail=f"step {alert.round}, {len(reach)}")


def _ladder(work: Work, alert: Alert) -> Ladder | None:
    match Level(alert.level):
        case Level.RED:
            return work.clinic.escalation.red
        case Level.ORANGE:
            return work.clinic.escalation.orange
        case _:
            return None


def _rota(work: Work) -> list[Person]:
    """The people on the rota; with an empty rota, everybody: an open alert always goes to somebody."""
    return list(work.stores.rota.in_order()) or _everybody(work)


def _everybody(work: Work) -> list[Person]:
    return list(work.stores.people.staff())


def _owner_is_late(work: Work, alert: Alert) -> None:
    """Taking is not contact: without it the alert goes back to the rota. A contact not closed is reminded once."""
    ladder = _ladder(work, alert)
    patient = work.stores.patients.get(alert.patient_id)
    if alert.state == AlertState.CONTACTED and alert.owner_id is not None and alert.round >= 0:
        owner = work.stores.people.get(alert.owner_id)
        letters.to_person(
            work, owner, "alert.page", Urgency.ALERT, patient=patient, subject=alert.id, card=card_of(alert)
        )
        alert.round = -1  # the next time it goes back to the rota
        alert.next_step_at = work.now + timedelta(seconds=ladder.close_within) if ladder else _next_working_day(work)
        return
    work.stores.audit.record("alert.returned", actor=alert.owner_id, subject=alert.id, detail=alert.state)
    alert.state, alert.owner_id = AlertState.OPEN, None
    alert.clock_from, alert.round = work.now, 0
    alert.next_step_at = work.now
    escalate(work, alert)
    show_everywhere(work, alert)


def acknowledge(work: Work, alert_id: UUID) -> None:
    """The caller owns the alert now; a contact must follow in time."""
    alert = _open(work, alert_id)
    if alert.owner_id == work.by().id and alert.state != AlertState.OPEN:
        return
    alert.state, alert.owner_id, alert.acknowledged_at = AlertState.ACKNOWLEDGED, work.by().id, work.now
    ladder = _ladder(work, alert)
    alert.next_step_at = work.now + timedelta(seconds=ladder.contact_within) if ladder else _next_working_day(work)
    work.stores.audit.record("alert.acknowledged", actor=work.caller.id, subject=alert.id, detail=alert.level)
    show_everywhere(work, alert)
    _tell_patient(work, alert, "receipt.read")


def contacted(work: Work, alert_id: UUID) -> None:
    """The caller has reached the patient."""
    alert = _open(work, alert_id)
    if alert.state == AlertState.CONTACTED:
        return
    if alert.state == AlertState.OPEN:
        alert.acknowledged_at = work.now
    alert.state, alert.owner_id, alert.contacted_at, alert.round = AlertState.CONTACTED, work.by().id, work.now, 0
    ladder = _ladder(work, alert)
    alert.next_step_at = work.now + timedelta(seconds=ladder.close_within) if ladder else _next_working_day(work)
    work.stores.audit.record("alert.contacted", actor=work.caller.id, subject=alert.id)
    show_everywhere(work, alert)


def hand_over(work: Work, alert_id: UUID) -> None:
    """«Not now»: the next person on the rota is paged at once."""
    alert = _open(work, alert_id)
    ladder = _ladder(work, alert)
    alert.state, alert.owner_id = AlertState.OPEN, None
    alert.clock_from = work.now - timedelta(seconds=ladder.next_person if ladder else 0)
    alert.next_step_at = work.now
    work.stores.audit.record("alert.handed_over", actor=work.caller.id, subject=alert.id)
    escalate(work, alert)
    show_everywhere(work, alert)


def ask_outcome(work: Work, alert_id: UUID) -> None:
    alert = _open(work, alert_id)
    letters.reply(work, "alert.outcomes", subject=alert.id, card=f"close:{alert.id}")


def close(work: Work, alert_id: UUID, outcome: str) -> None:
    alert = _open(work, alert_id)
    if outcome not in OUTCOMES:
        raise StaleButton
    alert.state, alert.outcome, alert.closed_at, alert.next_step_at = AlertState.CLOSED, outcome, work.now, None
    alert.owner_id = work.by().id
    work.stores.audit.record("alert.closed", actor=work.caller.id, subject=alert.id, detail=outcome)
    show_everywhere(work, alert)
    letters.reply(work, "alert.closed", subject=alert.id, card=f"close:{alert.id}", fresh=False)


def show_everywhere(work: Work, alert: Alert) -> None:
    """Edits the alert's message wherever it is shown; states edit, pages sound."""
    alert.revision += 1
    for card in work.stores.outbox.chats_showing(card_of(alert)):
        chat = work.stores.chats.get(card.chat_id)
        person = work.stores.people.in_chat(chat)
        work.stores.outbox.write(
            kind="alert.team" if chat.is_group else "alert.page", urgency=Urgency.ALERT, chat_id=chat.id,
            person_id=person.id if person else None, patient_id=alert.patient_id, subject_id=alert.id,
            card=card_of(alert), fresh=False,
        )  # fmt: skip


def _tell_patient(work: Work, alert: Alert, kind: str) -> None:
    if alert.rule == Rule.SUICIDAL_THOUGHTS:
        patient = work.stores.patients.get(alert.patient_id)
        letters.to_patient(work, patient, kind, Urgency.RECEIPT, subject=alert.id)


def _open(work: Work, alert_id: UUID) -> Alert:
    alert = work.stores.alerts.find(alert_id)
    if alert is None:
        raise StaleButton
    if alert.state == AlertState.CLOSED:
        raise AlertClosed(code=alert.code)
    return alert


def card_of(alert: Alert) -> str:
    return f"alert:{alert.id}"


def view(work: Work, alert_id: UUID) -> AlertView:
    alert = work.stores.alerts.get(alert_id)
    patient = work.stores.patients.get(alert.patient_id)
    given = [infusion.at for infusion in work.stores.infusions.given_to(patient.id) if infusion.at <= work.now]
    owner = work.stores.people.find(alert.owner_id) if alert.owner_id else None
    return AlertView(
        id=alert.id, code=alert.code, patient=patient.code, level=Level(alert.level), rule=Rule(alert.rule),
        state=alert.state, raised_at=alert.raised_at, zone=work.clinic.zone,
        owner=work.stores.people.name(owner) if owner else None,
        acknowledged_at=alert.acknowledged_at, contacted_at=alert.contacted_at, closed_at=alert.closed_at,
        outcome=alert.outcome, days_since_infusion=(work.now - given[-1]).days if given else None,
        contact=work.stores.patients.contact(patient),
        findings=tuple(
            FindingView(*work.stores.findings.reason(row), row.level, row.found_at)
            for row in work.stores.findings.of_alert(alert.id)
        ),
    )  # fmt: skip
