"""Incidents: something is wrong with the house itself. Opened once, told to who can repair it, closed when over."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from bot.services import letters, roads
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.incidents import Incident


class IncidentKind(StrEnum):
    """Each has a sentence under "incident." in the catalogues. What `detail` holds stands beside it."""

    POLLING = "polling"  # no update could be fetched since the last look
    POLLING_GAP = "polling_gap"  # fetched nothing for so long that Telegram has thrown updates away
    STAGE = "stage"  # a part of the post room stands still; its name
    ROW_DEAD = "row_dead"  # an update that could not be handled
    ROW_LATE = "row_late"  # an update waits too long for its turn
    LETTER_BROKEN = "letter_broken"  # a letter that could not be made
    LETTER_LATE = "letter_late"  # an urgent letter that Telegram has not taken
    STEP_LATE = "step_late"  # an open alert without a next step
    CLOCK = "clock"  # the wall clock jumped
    DATABASE = "database"  # nothing can be written
    DISK = "disk"  # hardly any room left
    BACKUP = "backup"  # a backup failed, or none was made for too long
    RESTORED = "restored"  # a backup was put in place; the time whose answers are lost
    NOBODY_ON_CALL = "nobody_on_call"
    STAFF_BLOCKED = "staff_blocked"  # a member of staff cannot be reached in Telegram; their id
    CHANNEL_DEAD = "channel_dead"  # a channel of the second road takes nothing; its id, or "operator"


@dataclass(frozen=True, slots=True)
class IncidentView:
    id: UUID
    kind: IncidentKind
    detail: str
    who: str | None  # of the member of staff that it is about
    opened_at: datetime
    closed_at: datetime | None


def open(work: Work, kind: IncidentKind, detail: str = "") -> None:
    """Tells the administrators on both roads; nothing happens when the same incident is open already.

    `detail` tells incidents of one kind apart: a code, or an id of ours, never a name or health text.
    """
    incident = work.stores.incidents.open(kind, detail)
    if incident is None:
        return
    work.stores.audit.record("incident.opened", actor=None, subject=incident.id, detail=f"{kind} {detail}".strip())
    for person in work.stores.people.admins() or work.stores.people.staff():
        letters.to_person(work, person, "incident", Urgency.ALERT, subject=incident.id, card=card_of(incident.id))
        roads.call(work, person, roads.INCIDENT, incident.id)
    roads.call_operator(work, incident.id)


def close(work: Work, kind: IncidentKind, detail: str | None = None) -> None:
    """It is over: the messages that told of it are edited. Without `detail`, all that is open of this kind."""
    for incident in work.stores.incidents.close(kind, detail):
        work.stores.audit.record("incident.closed", actor=None, subject=incident.id, detail=incident.kind)
        for card in work.stores.outbox.chats_showing(card_of(incident.id)):
            person = work.stores.people.in_chat(work.stores.chats.get(card.chat_id))
            if person is not None:
                letters.to_person(
                    work, person, "incident", Urgency.RECEIPT, subject=incident.id, card=card.card, fresh=False
                )


def only(work: Work, kind: IncidentKind, details: set[str]) -> None:
    """Exactly these are open of a kind from now on: opens what is new and closes what is over."""
    for known in work.stores.incidents.all_open(kind):
        if known.detail not in details:
            close(work, kind, known.detail)
    for detail in sorted(details):
        open(work, kind, detail)


def card_of(incident_id: UUID) -> str:
    return f"incident:{incident_id}"


def list_all(work: Work) -> None:
    letters.reply(work, "incident.list", card="incidents")


def view(work: Work, incident_id: UUID) -> IncidentView | None:
    incident = work.stores.incidents.find(incident_id)
    return _view(work, incident) if incident is not None else None


def all_open(work: Work) -> tuple[IncidentView, ...]:
    return tuple(_view(work, incident) for incident in work.stores.incidents.all_open())


def lately_over(work: Work) -> tuple[IncidentView, ...]:
    return tuple(_view(work, incident) for incident in work.stores.incidents.over())


def _view(work: Work, incident: Incident) -> IncidentView:
    return IncidentView(
        id=incident.id, kind=IncidentKind(incident.kind), detail=incident.detail, who=_who(work, incident),
        opened_at=incident.opened_at, closed_at=incident.closed_at,
    )  # fmt: skip


def _who(work: Work, incident: Incident) -> str | None:
    """The member of staff that an incident is about."""
    match IncidentKind(incident.kind):
        case IncidentKind.STAFF_BLOCKED if incident.detail:
            person_id: UUID | None = UUID(incident.detail)
        case IncidentKind.CHANNEL_DEAD if incident.detail not in ("", "operator"):
            channel = work.stores.roads.channel(UUID(incident.detail))
            person_id = channel.person_id if channel else None
        case _:
            return None
    person = work.stores.people.find(person_id) if person_id else None
    return work.stores.people.name(person) if person else None
