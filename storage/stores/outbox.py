"""Letters as they will go, and which message shows which card, by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import and_, bindparam, delete, false, func, insert, select, update
from sqlalchemy.orm import Session

from storage.crypto import Sealer
from storage.stores.sql import count, insert_for, rows_of
from storage.tables.people import Chat, ChatState, Patient, PatientState, Person
from storage.tables.post import Card, Letter, LetterState

ANY_URGENCY = 1000

LETTERS = rows_of(Letter)
REPLACE_EDIT = (
    update(LETTERS)
    .where(
        LETTERS.c.chat_id == bindparam("chat"), LETTERS.c.card == bindparam("of_card"),
        LETTERS.c.state == LetterState.WAITING, LETTERS.c.fresh.is_(False),
    )
    .values(state=LetterState.REPLACED)
)  # fmt: skip
WRITE = insert(LETTERS)
DUE = (
    select(
        Letter.position, Letter.id, Letter.kind, Letter.urgency, Letter.chat_id, Letter.person_id, Letter.patient_id,
        Letter.subject_id, Letter.detail, Letter.card, Letter.fresh, Letter.attempts, Letter.expires_at,
        Chat.sealed_number, Chat.is_group, Person.language,
        func.coalesce(Patient.state == PatientState.ERASED, false()), Card.message_id,
    )
    .join(Chat, Chat.id == Letter.chat_id)
    .outerjoin(Person, Person.id == Letter.person_id)
    .outerjoin(Patient, Patient.id == Letter.patient_id)
    .outerjoin(
        Card,
        and_(Card.chat_id == Letter.chat_id, Card.card == Letter.card, ~Card.has_picture, Letter.fresh.is_(False)),
    )
    .where(
        Letter.state == LetterState.WAITING, Letter.due_at <= bindparam("now"), Chat.state == ChatState.OPEN,
        Letter.urgency <= bindparam("least"), Letter.chat_id.not_in(bindparam("not_to", expanding=True)),
    )
    .order_by(Letter.urgency, Letter.due_at, Letter.position)
    .limit(bindparam("most"))
)  # fmt: skip
SETTLE = update(LETTERS).where(LETTERS.c.position == bindparam("settled")).values(state=bindparam("becomes"))
SENT = (
    update(LETTERS)
    .where(LETTERS.c.position == bindparam("sent"))
    .values(state=LetterState.SENT, sent_at=bindparam("at"), message_id=bindparam("as"), sealed_said=bindparam("said"))
)


class DueLetter(NamedTuple):
    """A letter that may go now: its row, and what is needed to address and to make it."""

    position: int
    id: UUID
    kind: str
    urgency: int
    chat_id: UUID
    person_id: UUID | None
    patient_id: UUID | None
    subject_id: UUID | None
    detail: str
    card: str | None
    fresh: bool
    attempts: int
    expires_at: datetime | None
    sealed_number: bytes  # of its chat
    is_group: bool
    language: str | None  # the reader's
    is_void: bool  # its patient was erased
    edits: int | None  # the message that shows its card and takes its words; None: a new message


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter as Telegram has taken it; `message_id` is None when the reply did not say."""

    letter: DueLetter
    message_id: int | None
    said: str
    has_picture: bool


class Outbox:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def write(
        self, *, kind: str, urgency: int, chat_id: UUID, person_id: UUID | None = None, patient_id: UUID | None = None,
        subject_id: UUID | None = None, detail: str = "", card: str | None = None, fresh: bool = True,
        due_at: datetime | None = None, expires_at: datetime | None = None,
    ) -> None:  # fmt: skip
        """Adds a letter. An unsent edit of the same card is replaced; a fresh one is never: pages must all sound."""
        if card is not None and not fresh:
            self._session.execute(REPLACE_EDIT, {"chat": chat_id, "of_card": card})
        letter = {
            "id": uuid4(), "kind": kind, "urgency": urgency, "chat_id": chat_id, "person_id": person_id,
            "patient_id": patient_id, "subject_id": subject_id, "detail": detail, "card": card, "fresh": fresh,
            "state": LetterState.WAITING, "attempts": 0, "written_at": self._now, "due_at": due_at or self._now,
            "expires_at": expires_at,
        }  # fmt: skip
        self._session.execute(WRITE, letter)

    def get(self, position: int) -> Letter:
        return self._session.get_one(Letter, position)

    def due(
        self, now: datetime, *, not_to: Iterable[UUID] = (), least: int = ANY_URGENCY, limit: int = 50
    ) -> list[DueLetter]:
        """The most urgent letters that may go now, leaving out chats that must wait, and what is less urgent."""
        rows = self._session.execute(DUE, {"now": now, "least": least, "not_to": list(not_to), "most": limit})
        return [DueLetter._make(row) for row in rows]

    def settle(self, position: int, becomes: LetterState) -> None:
        """A letter that does not go."""
        self._session.execute(SETTLE, {"settled": position, "becomes": becomes})

    def overdue(self, before: datetime, urgency: int) -> Sequence[Letter]:
        """Letters of this urgency or above that should have gone before that moment, to chats that can be reached."""
        return self._session.scalars(
            select(Letter)
            .join(Chat, Chat.id == Letter.chat_id)
            .where(
                Letter.state == LetterState.WAITING, Letter.urgency <= urgency, Letter.written_at <= before,
                Letter.due_at <= self._now, Chat.state == ChatState.OPEN,
            )
        ).all()  # fmt: skip

    def next_due(self) -> datetime | None:
        return self._session.scalar(
            select(func.min(Letter.due_at))
            .join(Chat, Chat.id == Letter.chat_id)
            .where(Letter.state == LetterState.WAITING, Chat.state == ChatState.OPEN)
        )

    def last_fresh(self, chat_id: UUID, card: str) -> Letter | None:
        """The newest letter of a card that sounds, sent or not."""
        return self._session.scalar(
            select(Letter)
            .where(Letter.chat_id == chat_id, Letter.card == card, Letter.fresh)
            .order_by(Letter.position.desc())
            .limit(1)
        )

    def waiting_to(self, chat_id: UUID) -> Sequence[Letter]:
        return self._session.scalars(
            select(Letter).where(Letter.chat_id == chat_id, Letter.state == LetterState.WAITING)
        ).all()

    def count_waiting(self) -> int:
        query = select(func.count()).select_from(Letter).where(Letter.state == LetterState.WAITING)
        return self._session.scalar(query) or 0

    def redirect(self, chat_id: UUID, to: UUID) -> None:
        """What waits for one chat goes to another; messages shown in the old one cannot be edited any more."""
        self._session.execute(
            update(Letter).where(Letter.chat_id == chat_id, Letter.state == LetterState.WAITING).values(chat_id=to)
        )
        self._session.execute(delete(Card).where(Card.chat_id == chat_id))

    def waiting(self, limit: int) -> Sequence[Letter]:
        """What waits longest."""
        return self._session.scalars(
            select(Letter).where(Letter.state == LetterState.WAITING).order_by(Letter.position).limit(limit)
        ).all()

    def broken(self) -> Sequence[Letter]:
        return self._session.scalars(
            select(Letter).where(Letter.state == LetterState.BROKEN).order_by(Letter.position)
        ).all()

    def replay(self, position: int) -> bool:
        """A broken letter waits again, as new. False when there is none at this place."""
        letter = self._session.get(Letter, position)
        if letter is None or letter.state != LetterState.BROKEN:
            return False
        letter.state, letter.attempts, letter.due_at = LetterState.WAITING, 0, self._now
        return True

    def mark_sent(self, batch: Sequence[Sent]) -> None:
        """All of them in one statement each: what became of the letters, and which message shows their card now."""
        rows = [{"sent": sent.letter.position, "at": self._now, "as": sent.message_id, "said": self._seal(sent)}
                for sent in batch]  # fmt: skip
        self._session.execute(SENT, rows)
        shown = [
            {
                "id": uuid4(), "chat_id": sent.letter.chat_id, "card": sent.letter.card, "message_id": sent.message_id,
                "has_picture": sent.has_picture,
            }
            for sent in batch
            if sent.letter.card is not None and sent.message_id not in (None, sent.letter.edits)
        ]  # fmt: skip
        if shown:
            self._session.execute(_show(insert_for(self._session)), shown)

    def _seal(self, sent: Sent) -> bytes:
        letter = sent.letter
        subject = said_subject(letter.patient_id, letter.person_id)
        return self._sealer.seal(subject, "outbox", "said", str(letter.id), sent.said)

    def forget_said_before(self, moment: datetime) -> int:
        """Removes the words of letters that were sent earlier, never the fact of sending; returns how many."""
        forgotten = self._session.execute(
            update(Letter).where(Letter.sent_at < moment, Letter.sealed_said.is_not(None)).values(sealed_said=None)
        )
        return count(forgotten)

    def said(self, letter: Letter) -> str:
        if letter.sealed_said is None:
            return ""
        return self._sealer.open(
            said_subject(letter.patient_id, letter.person_id), "outbox", "said", str(letter.id), letter.sealed_said
        )

    def withdraw(self, person_id: UUID) -> None:
        """What this person has not been sent yet is not sent any more."""
        self._session.execute(
            update(Letter)
            .where(Letter.person_id == person_id, Letter.state == LetterState.WAITING)
            .values(state=LetterState.EXPIRED)
        )

    def withdraw_about(self, patient_id: UUID) -> None:
        """Nobody is told anything more about this patient."""
        self._session.execute(
            update(Letter)
            .where(Letter.patient_id == patient_id, Letter.state == LetterState.WAITING)
            .values(state=LetterState.EXPIRED)
        )

    def chats_of(self, person_id: UUID) -> Sequence[UUID]:
        """Where this person was written to."""
        return self._session.scalars(select(Letter.chat_id).where(Letter.person_id == person_id).distinct()).all()

    def chats_showing(self, card: str) -> Sequence[Card]:
        return self._session.scalars(select(Card).where(Card.card == card)).all()

    def of_patient(self, patient_id: UUID) -> Sequence[Letter]:
        return self._session.scalars(
            select(Letter).where(Letter.patient_id == patient_id).order_by(Letter.position)
        ).all()


@cache
def _show(insert: Any) -> Any:
    """The newest message of a card takes the place of the one before."""
    new = insert(Card)
    return new.on_conflict_do_update(
        index_elements=[Card.chat_id, Card.card],
        set_={"message_id": new.excluded.message_id, "has_picture": new.excluded.has_picture},
    )


def said_subject(patient_id: UUID | None, person_id: UUID | None) -> str:
    """Under whose key the words of a letter are sealed."""
    return str(patient_id or person_id or "clinic")
