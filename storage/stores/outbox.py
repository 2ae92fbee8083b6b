"""Letters as they will go, and which message shows which card, by name."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from storage.crypto import Sealer
from storage.stores.sql import count
from storage.tables.people import Chat, ChatState
from storage.tables.post import Card, Letter, LetterState


class Outbox:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def write(
        self, *, kind: str, urgency: int, chat_id: UUID, person_id: UUID | None = None, patient_id: UUID | None = None,
        subject_id: UUID | None = None, detail: str = "", card: str | None = None, fresh: bool = True,
        due_at: datetime | None = None, expires_at: datetime | None = None,
    ) -> Letter:  # fmt: skip
        """Adds a letter. An unsent edit of the same card is replaced; a fresh one is never: pages must all sound."""
        if card is not None and not fresh:
            self._session.execute(
                update(Letter)
                .where(
                    Letter.chat_id == chat_id,
                    Letter.card == card,
                    Letter.state == LetterState.WAITING,
                    Letter.fresh.is_(False),
                )
                .values(state=LetterState.REPLACED)
            )
        letter = Letter(
            id=uuid4(), kind=kind, urgency=urgency, chat_id=chat_id, person_id=person_id, patient_id=patient_id,
            subject_id=subject_id, detail=detail, card=card, fresh=fresh, state=LetterState.WAITING, attempts=0,
            written_at=self._now, due_at=due_at or self._now, expires_at=expires_at,
        )  # fmt: skip
        self._session.add(letter)
        return letter

    def get(self, position: int) -> Letter:
        return self._session.get_one(Letter, position)

    def due(
        self, now: datetime, *, not_to: Iterable[UUID] = (), least: int | None = None, limit: int = 50
    ) -> Sequence[Letter]:
        """The most urgent letters that may go now, leaving out chats that must wait, and what is less urgent."""
        query = (
            select(Letter)
            .join(Chat, Chat.id == Letter.chat_id)
            .where(Letter.state == LetterState.WAITING, Letter.due_at <= now, Chat.state == ChatState.OPEN)
            .order_by(Letter.urgency, Letter.due_at, Letter.position)
            .limit(limit)
        )
        if least is not None:
            query = query.where(Letter.urgency <= least)
        waiting = list(not_to)
        if waiting:
            query = query.where(Letter.chat_id.not_in(waiting))
        return self._session.scalars(query).all()

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

    def count_broken(self) -> int:
        query = select(func.count()).select_from(Letter).where(Letter.state == LetterState.BROKEN)
        return self._session.scalar(query) or 0

    def mark_sent(self, letter: Letter, *, message_id: int | None, said: str, has_picture: bool) -> None:
        letter.state, letter.sent_at, letter.message_id = LetterState.SENT, self._now, message_id
        letter.sealed_said = self._sealer.seal(self._subject(letter), "outbox", "said", str(letter.id), said)
        if letter.card is None or message_id is None:
            return
        card = self.card(letter.chat_id, letter.card)
        if card is None:
            card = Card(id=uuid4(), chat_id=letter.chat_id, card=letter.card, message_id=message_id)
            self._session.add(card)
        card.message_id, card.has_picture = message_id, has_picture

    def forget_said_before(self, moment: datetime) -> int:
        """Removes the words of letters that were sent earlier, never the fact of sending; returns how many."""
        forgotten = self._session.execute(
            update(Letter).where(Letter.sent_at < moment, Letter.sealed_said.is_not(None)).values(sealed_said=None)
        )
        return count(forgotten)

    def said(self, letter: Letter) -> str:
        if letter.sealed_said is None:
            return ""
        return self._sealer.open(self._subject(letter), "outbox", "said", str(letter.id), letter.sealed_said)

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

    def card(self, chat_id: UUID, card: str) -> Card | None:
        return self._session.scalar(select(Card).where(Card.chat_id == chat_id, Card.card == card))

    def chats_showing(self, card: str) -> Sequence[Card]:
        return self._session.scalars(select(Card).where(Card.card == card)).all()

    def of_patient(self, patient_id: UUID) -> Sequence[Letter]:
        return self._session.scalars(
            select(Letter).where(Letter.patient_id == patient_id).order_by(Letter.position)
        ).all()

    @staticmethod
    def _subject(letter: Letter) -> str:
        return said_subject(letter.patient_id, letter.person_id)


def said_subject(patient_id: UUID | None, person_id: UUID | None) -> str:
    """Under whose key the words of a letter are sealed."""
    return str(patient_id or person_id or "clinic")
