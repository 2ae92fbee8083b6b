"""What a patient is told of an alert: never more than what a person did."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.clinical import escalation
from bot.clinical.terms import Rule
from bot.services import letters
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.alerts import Alert, AlertState


@dataclass(frozen=True, slots=True)
class Cover:
    """Whether somebody at the clinic can answer now. `opens_at` is when somebody can, if that is known."""

    now: bool
    opens_at: datetime | None = None


def cover(work: Work) -> Cover:
    if not work.stores.rota.in_order():
        return Cover(now=False)
    if work.clinic.round_the_clock:
        return Cover(now=True)
    hours = work.clinic.working_hours
    opens = escalation.next_working_moment(work.now, hours.days, hours.opens, hours.closes, work.clinic.zone)
    return Cover(now=opens == work.now, opens_at=opens)


def crisis_card(alert_id: UUID) -> str:
    return f"crisis:{alert_id}"


def reached(work: Work, alert: Alert) -> None:
    """The first page has arrived somewhere: from now on the crisis letter may say «sent to the team»."""
    if alert.reached_at is not None:
        return
    alert.reached_at = work.now
    patient = work.stores.patients.get(alert.patient_id)
    person = work.stores.people.find(patient.id)
    card = crisis_card(alert.id)
    written = work.stores.outbox.last_fresh(person.chat_id, card) if person else None
    if written is not None:
        letters.to_patient(
            work, patient, "crisis", Urgency.RECEIPT, subject=alert.id, detail=written.detail, card=card, fresh=False
        )


def page_arrived(work: Work, alert_id: UUID | None) -> None:
    """Telegram has taken a page of this alert."""
    alert = work.stores.alerts.find(alert_id) if alert_id else None
    if alert is not None:
        reached(work, alert)


def not_reached(work: Work, alert: Alert) -> None:
    """Nobody could be paged so far: said once, so that the patient does not wait for a call that cannot come yet."""
    if alert.reached_at is None and alert.rule == Rule.SUICIDAL_THOUGHTS:
        patient = work.stores.patients.get(alert.patient_id)
        person = work.stores.people.find(patient.id)
        card = f"not_reached:{alert.id}"
        if person is not None and work.stores.outbox.last_fresh(person.chat_id, card) is None:
            letters.to_patient(work, patient, "receipt.not_reached", Urgency.CRISIS, subject=alert.id, card=card)


def read(work: Work, alert: Alert) -> None:
    """A person has taken it; no call time yet."""
    _tell(work, alert, "receipt.read")


def promised(work: Work, alert: Alert) -> None:
    """That person has said by when they will phone."""
    _tell(work, alert, "receipt.promised")


def passed_on(work: Work, alert: Alert) -> None:
    """Whoever took it made no contact in time: what was said before does not hold any more."""
    if alert.state == AlertState.OPEN:
        _tell(work, alert, "receipt.passed_on")


def _tell(work: Work, alert: Alert, kind: str) -> None:
    if alert.rule == Rule.SUICIDAL_THOUGHTS:
        patient = work.stores.patients.get(alert.patient_id)
        letters.to_patient(work, patient, kind, Urgency.RECEIPT, subject=alert.id)
