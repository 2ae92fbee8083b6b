"""What an alert's card shows, and where: one message in each chat, edited when the alert's state changes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.clinical.terms import Level, Rule
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.alerts import Alert, AlertState


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
    patient_id: UUID
    level: Level
    rule: Rule
    state: AlertState
    raised_at: datetime
    zone: str
    owner: str | None
    owner_id: UUID | None
    reached_at: datetime | None
    acknowledged_at: datetime | None
    promised_at: datetime | None
    contacted_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    note: str
    days_since_infusion: int | None
    contact: dict[str, str]
    findings: tuple[FindingView, ...]


def card_of(alert: Alert) -> str:
    return f"alert:{alert.id}"


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


def words(work: Work, alert_id: UUID) -> tuple[tuple[datetime, str], ...]:
    """What the patient wrote that raised this alert, with its moment."""
    alert = work.stores.alerts.get(alert_id)
    sources = {row.source for row in work.stores.findings.of_alert(alert_id)}
    return tuple(
        (note.written_at, work.stores.notes.text(note))
        for note in work.stores.notes.of(alert.patient_id)
        if f"update:{note.source}" in sources
    )


def view(work: Work, alert_id: UUID) -> AlertView:
    alert = work.stores.alerts.get(alert_id)
    patient = work.stores.patients.get(alert.patient_id)
    given = [infusion.at for infusion in work.stores.infusions.given_to(patient.id) if infusion.at <= work.now]
    owner = work.stores.people.find(alert.owner_id) if alert.owner_id else None
    return AlertView(
        id=alert.id, code=alert.code, patient=patient.code, patient_id=patient.id, level=Level(alert.level),
        rule=Rule(alert.rule), state=alert.state, raised_at=alert.raised_at, zone=work.clinic.zone,
        owner=work.stores.people.name(owner) if owner else None, owner_id=alert.owner_id,
        reached_at=alert.reached_at, acknowledged_at=alert.acknowledged_at, promised_at=alert.promised_at,
        contacted_at=alert.contacted_at, closed_at=alert.closed_at, outcome=alert.outcome,
        note=work.stores.alerts.closing_note(alert),
        days_since_infusion=(work.now - given[-1]).days if given else None,
        contact=work.stores.patients.contact(patient),
        findings=tuple(
            FindingView(*work.stores.findings.reason(row), row.level, row.found_at)
            for row in work.stores.findings.of_alert(alert.id)
        ),
    )  # fmt: skip
