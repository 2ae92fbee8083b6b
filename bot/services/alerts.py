"""Alerts: raised by findings, taken, contacted, handed over and closed by people."""

from datetime import timedelta
from uuid import UUID

from bot.clinical.terms import Finding, Level, Rule
from bot.services import letters, receipts
from bot.services.alert_cards import show_everywhere
from bot.services.errors import AlertClosed, AlreadyTaken, NotYours, StaleButton
from bot.services.paging import deadline, escalate, ladder_of, pass_on, start_clock
from bot.services.work import Work
from storage.tables.alerts import Alert, AlertState
from storage.tables.people import Patient

OUTCOMES = ("safe", "plan", "emergency", "unreached", "false_alarm")
CALL_MINUTES = (5, 10, 15, 30, 60, 120)  # what an owner can promise a patient
NOTE_STEP = "alert.note"


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
        start_clock(work, alert)
    else:
        row.alert_id = alert.id
        _add_to_open(work, alert, finding)
    escalate(work, alert)
    return alert


def add_remark(work: Work, patient: Patient, finding: Finding, source: str) -> None:
    """Something about an open alert that raises nothing; its messages are edited wherever they are shown."""
    alert = work.stores.alerts.open_for(patient.id, finding.rule)
    if alert is None or work.stores.findings.levels_from(patient.id, finding.rule, source):
        return
    row = work.stores.findings.add(
        patient_id=patient.id, rule=finding.rule, level=finding.level, day=finding.day, reason=finding.reason,
        values=finding.values, source=source,
    )  # fmt: skip
    row.alert_id = alert.id
    show_everywhere(work, alert)


def _add_to_open(work: Work, alert: Alert, finding: Finding) -> None:
    rises = finding.level.rank > Level(alert.level).rank
    speaks_of_danger = finding.rule == Rule.SUICIDAL_THOUGHTS and finding.level.at_least(Level.ORANGE)
    if rises:
        work.stores.audit.record("alert.rose", actor=None, subject=alert.id, detail=f"{alert.level} to {finding.level}")
        alert.level = finding.level
    # Somebody has taken this alert knowing less than it says now: it must be taken again.
    if rises or (speaks_of_danger and alert.state != AlertState.OPEN):
        alert.state, alert.owner_id, alert.acknowledged_at, alert.promised_at = AlertState.OPEN, None, None, None
        work.stores.alerts.forget_passes(alert)
        start_clock(work, alert)
    show_everywhere(work, alert)


def acknowledge(work: Work, alert_id: UUID, *, from_another: bool = False) -> None:
    """The caller owns the alert now; a contact must follow in time.

    Raises `AlreadyTaken` when somebody else has it, unless the caller means to take it from them: two people who tap at
    once must not both believe that they have it.
    """
    alert = _open(work, alert_id)
    if alert.owner_id == work.by().id and alert.state != AlertState.OPEN:
        return
    if alert.state != AlertState.OPEN and not from_another:
        raise AlreadyTaken
    alert.state, alert.owner_id, alert.acknowledged_at = AlertState.ACKNOWLEDGED, work.by().id, work.now
    alert.promised_at = None
    ladder = ladder_of(work, alert)
    alert.next_step_at = deadline(work, ladder.contact_within if ladder else None)
    work.stores.audit.record("alert.acknowledged", actor=work.caller.id, subject=alert.id, detail=alert.level)
    show_everywhere(work, alert)
    receipts.read(work, alert)


def take_over(work: Work, alert_id: UUID) -> None:
    acknowledge(work, alert_id, from_another=True)


def read_words(work: Work, alert_id: UUID) -> None:
    """The patient's own words that raised it, in the caller's private chat."""
    alert = work.stores.alerts.find(alert_id)
    if alert is None or work.chat().is_group:
        raise StaleButton
    work.stores.audit.record("patient.viewed", actor=work.caller.id, subject=alert.patient_id)
    patient = work.stores.patients.get(alert.patient_id)
    letters.reply(work, "alert.words", subject=alert.id, patient=patient)


def call_minutes(work: Work, alert_id: UUID) -> tuple[int, ...]:
    """What can be promised within the time in which a contact must follow: three choices at most."""
    ladder = ladder_of(work, work.stores.alerts.get(alert_id))
    return tuple(m for m in CALL_MINUTES if ladder is None or m * 60 <= ladder.contact_within)[-3:]


def promise(work: Work, alert_id: UUID, minutes: str) -> None:
    """The owner says by when they will phone; the patient hears it, and it is held against the owner."""
    alert = _open(work, alert_id)
    if alert.state != AlertState.ACKNOWLEDGED or alert.owner_id != work.by().id:
        raise NotYours
    if minutes not in {str(offered) for offered in call_minutes(work, alert_id)} or alert.next_step_at is None:
        raise StaleButton
    alert.promised_at = min(work.now + timedelta(minutes=int(minutes)), alert.next_step_at)
    alert.next_step_at = alert.promised_at
    work.stores.audit.record("alert.promised", actor=work.caller.id, subject=alert.id, detail=minutes)
    show_everywhere(work, alert)
    receipts.promised(work, alert)


def contacted(work: Work, alert_id: UUID) -> None:
    """The caller has reached the patient."""
    alert = _open(work, alert_id)
    if alert.state == AlertState.CONTACTED:
        return
    if alert.state == AlertState.OPEN:
        alert.acknowledged_at = work.now
    alert.state, alert.owner_id, alert.contacted_at, alert.round = AlertState.CONTACTED, work.by().id, work.now, 0
    ladder = ladder_of(work, alert)
    alert.next_step_at = deadline(work, ladder.close_within if ladder else None)
    work.stores.audit.record("alert.contacted", actor=work.caller.id, subject=alert.id)
    show_everywhere(work, alert)


def hand_over(work: Work, alert_id: UUID) -> None:
    """«Not now»: the next person on the rota is paged at once, and the caller not again before everybody is."""
    alert = _open(work, alert_id)
    work.stores.audit.record("alert.handed_over", actor=work.caller.id, subject=alert.id, detail=alert.state)
    work.stores.alerts.pass_over(alert, work.by().id)
    if (
        alert.state == AlertState.OPEN
    ):  # time goes on: declining does not put off the moment at which everybody is paged
        alert.next_step_at = work.now
        escalate(work, alert)
        letters.reply(work, "notice", detail="alert.handed_over")
        return
    if alert.owner_id != work.by().id:
        return  # somebody else has it; the caller's «Not now» takes it from nobody
    pass_on(work, alert)
    receipts.passed_on(work, alert)


def ask_outcome(work: Work, alert_id: UUID) -> None:
    alert = _open(work, alert_id)
    letters.reply(work, "alert.outcomes", subject=alert.id, card=f"close:{alert.id}")


def close(work: Work, alert_id: UUID, outcome: str) -> None:
    """With an outcome; a note may follow as the caller's next text."""
    alert = _open(work, alert_id)
    if outcome not in OUTCOMES:
        raise StaleButton
    alert.state, alert.outcome, alert.closed_at, alert.next_step_at = AlertState.CLOSED, outcome, work.now, None
    alert.owner_id = work.by().id
    work.stores.audit.record("alert.closed", actor=work.caller.id, subject=alert.id, detail=outcome)
    work.stores.alerts.forget_passes(alert)
    show_everywhere(work, alert)
    work.stores.dialogues.enter(work.chat(), NOTE_STEP, {"alert": str(alert.id)})
    letters.reply(work, "alert.closed", subject=alert.id, card=f"close:{alert.id}", fresh=False)


def typed(work: Work, _step: str, draft: dict[str, str], said: str) -> None:
    """What the person who closed it wrote about it, sealed with the patient's key."""
    alert = work.stores.alerts.get(UUID(draft["alert"]))
    work.stores.dialogues.leave(work.chat())
    work.stores.alerts.set_closing_note(alert, said)
    work.stores.audit.record("alert.noted", actor=work.caller.id, subject=alert.id)
    show_everywhere(work, alert)
    letters.reply(work, "notice", detail="alert.note_kept")


def _open(work: Work, alert_id: UUID) -> Alert:
    alert = work.stores.alerts.find(alert_id)
    if alert is None:
        raise StaleButton
    if alert.state == AlertState.CLOSED:
        raise AlertClosed(code=alert.code)
    return alert
