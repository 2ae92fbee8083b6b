"""What waits and what is buried, as an operator may see it: codes and numbers. What is buried can be put back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.services import incidents
from bot.services.incidents import IncidentKind
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.people import Person, Role
from storage.tables.post import InboxRow, InboxState, Letter, LetterState

SHOWN = 20  # of what waits, the oldest; of what is buried, all


@dataclass(frozen=True, slots=True)
class Lying:
    """One update or letter. Never what it says."""

    position: int
    buried: bool
    since: datetime
    attempts: int
    who: str  # from whom or to whom: a patient's code or a role
    what: str = ""  # the kind of a letter


@dataclass(frozen=True, slots=True)
class Pile:
    waiting: int
    shown: tuple[Lying, ...]  # buried ones first


def inbox(work: Work) -> Pile:
    store = work.stores.inbox
    return Pile(store.count_waiting(), tuple(_update(work, row) for row in (*store.dead(), *store.waiting(SHOWN))))


def outbox(work: Work) -> Pile:
    store = work.stores.outbox
    return Pile(store.count_waiting(), tuple(_letter(work, row) for row in (*store.broken(), *store.waiting(SHOWN))))


def put_back_update(work: Work, position: int) -> bool:
    """It is triaged and handled again as if it had just come. False when there is no buried update at this place."""
    if not work.stores.inbox.replay(position):
        return False
    work.stores.audit.record("inbox.replayed", actor=work.caller.id, detail=str(position))
    incidents.close(work, IncidentKind.ROW_DEAD, str(position))
    return True


def put_back_letter(work: Work, position: int) -> bool:
    """It is made and sent again, unless its time is over. False when there is no buried letter at this place."""
    if not work.stores.outbox.replay(position):
        return False
    work.stores.audit.record("outbox.replayed", actor=work.caller.id, detail=str(position))
    incidents.close(work, IncidentKind.LETTER_BROKEN, str(position))
    return True


def _update(work: Work, row: InboxRow) -> Lying:
    chat = work.stores.chats.known(row.chat_key)
    person = work.stores.people.in_chat(chat) if chat is not None else None
    who = "a group" if chat is not None and chat.is_group else _who(work, person)
    return Lying(row.position, row.state == InboxState.DEAD, row.received_at, row.attempts, who)


def _letter(work: Work, letter: Letter) -> Lying:
    person = work.stores.people.find(letter.person_id) if letter.person_id is not None else None
    return Lying(
        letter.position, letter.state == LetterState.BROKEN, letter.written_at, letter.attempts, _who(work, person),
        f"{Urgency(letter.urgency).name.lower()} {letter.kind}",
    )  # fmt: skip


def _who(work: Work, person: Person | None) -> str:
    if person is None:
        return "nobody known"
    return _code(work, person.id) if person.role == Role.PATIENT else str(person.role)


def _code(work: Work, patient_id: UUID) -> str:
    return work.stores.patients.get(patient_id).code
