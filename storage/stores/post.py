"""Inbox, outbox and cards, by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import CursorResult, Result, func, select, update
from sqlalchemy.orm import Session

from storage.crypto import Sealer
from storage.stores.keys import inbox_subject
from storage.tables.people import Chat, ChatState
from storage.tables.post import Card, InboxRow, InboxState, Letter, LetterState

EMPTY = b""
MAX_ATTEMPTS = 3  # a row that failed three times is dead


@dataclass(frozen=True, slots=True)
class Received:
    """One raw update as it came in."""

    update_id: int
    chat_key: str
    body: str


class Inbox:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def take_in(self, batch: Iterable[Received]) -> list[InboxRow]:
        """Stores what is new in the batch; updates that are already here are left as they are."""
        day = self._now.date()
        batch = list(batch)
        known = {
            (row.update_id, row.chat_key)
            for row in self._session.execute(
                select(InboxRow.update_id, InboxRow.chat_key).where(
                    InboxRow.update_id.in_([received.update_id for received in batch])
                )
            )
        }
        rows = []
        for received in batch:
            if (received.update_id, received.chat_key) in known:
                continue
            known.add((received.update_id, received.chat_key))
            binding = f"{received.update_id}:{received.chat_key}"
            row = InboxRow(
                update_id=received.update_id,
                chat_key=received.chat_key,
                day=day,
                sealed_body=self._sealer.seal(inbox_subject(day), "inbox", "body", binding, received.body),
                state=InboxState.WAITING,
                triaged=False,
                attempts=0,
                received_at=self._now,
            )
            rows.append(row)
        self._session.add_all(rows)
        self._session.flush()
        return rows

    def get(self, position: int) -> InboxRow:
        return self._session.get_one(InboxRow, position)

    def body(self, row: InboxRow) -> str:
        binding = f"{row.update_id}:{row.chat_key}"
        return self._sealer.open(inbox_subject(row.day), "inbox", "body", binding, row.sealed_body)

    def untriaged(self, limit: int = 500) -> Sequence[InboxRow]:
        return self._session.scalars(
            select(InboxRow)
            .where(InboxRow.state == InboxState.WAITING, InboxRow.triaged.is_(False))
            .order_by(InboxRow.position)
            .limit(limit)
        ).all()

    def waiting(self, limit: int = 500) -> Sequence[InboxRow]:
        """Triaged rows whose turn it is: the oldest one of each chat."""
        first = (
            select(func.min(InboxRow.position))
            .where(InboxRow.state == InboxState.WAITING)
            .group_by(InboxRow.chat_key)
            .scalar_subquery()
        )
        return self._session.scalars(
            select(InboxRow)
            .where(InboxRow.position.in_(first), InboxRow.triaged.is_(True))
            .order_by(InboxRow.position)
            .limit(limit)
        ).all()

    def count_waiting(self) -> int:
        return (
            self._session.scalar(select(func.count()).select_from(InboxRow).where(InboxRow.state == InboxState.WAITING))
            or 0
        )

    def dead(self) -> Sequence[InboxRow]:
        return self._session.scalars(
            select(InboxRow).where(InboxRow.state == InboxState.DEAD).order_by(InboxRow.position)
        ).all()

    def begin_attempt(self, position: int) -> int:
        """Counts the try before it is made, so that a row that kills the process is found. Returns the number of it."""
        row = self.get(position)
        row.attempts += 1
        return row.attempts

    def mark_triaged(self, position: int) -> None:
        self.get(position).triaged = True

    def mark_done(self, position: int) -> None:
        row = self.get(position)
        row.state, row.done_at = InboxState.DONE, self._now

    def mark_dead(self, position: int) -> None:
        row = self.get(position)
        row.state, row.done_at = InboxState.DEAD, self._now

    def unfinished_days(self) -> Sequence[date]:
        """Days with an update that still waits or is dead: it could not be handled again without its key."""
        return self._session.scalars(select(InboxRow.day).where(InboxRow.state != InboxState.DONE).distinct()).all()

    def empty_done_before(self, day: date) -> int:
        """Empties the bodies of handled rows of earlier days; returns how many."""
        emptied = self._session.execute(
            update(InboxRow)
            .where(InboxRow.day < day, InboxRow.state == InboxState.DONE, InboxRow.sealed_body != EMPTY)
            .values(sealed_body=EMPTY)
        )
        return _count(emptied)

    def replay(self, position: int) -> None:
        row = self.get(position)
        row.state, row.attempts, row.done_at, row.triaged = InboxState.WAITING, 0, None, False


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

    def due(self, now: datetime, *, not_to: Iterable[UUID] = (), limit: int = 50) -> Sequence[Letter]:
        """The most urgent letters that may go now, leaving out chats that must wait."""
        query = (
            select(Letter)
            .join(Chat, Chat.id == Letter.chat_id)
            .where(Letter.state == LetterState.WAITING, Letter.due_at <= now, Chat.state == ChatState.OPEN)
            .order_by(Letter.urgency, Letter.due_at, Letter.position)
            .limit(limit)
        )
        waiting = list(not_to)
        if waiting:
            query = query.where(Letter.chat_id.not_in(waiting))
        return self._session.scalars(query).all()

    def next_due(self) -> datetime | None:
        return self._session.scalar(
            select(func.min(Letter.due_at))
            .join(Chat, Chat.id == Letter.chat_id)
            .where(Letter.state == LetterState.WAITING, Chat.state == ChatState.OPEN)
        )

    def waiting_to(self, chat_id: UUID) -> Sequence[Letter]:
        return self._session.scalars(
            select(Letter).where(Letter.chat_id == chat_id, Letter.state == LetterState.WAITING)
        ).all()

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
        return _count(forgotten)

    def said(self, letter: Letter) -> str:
        if letter.sealed_said is None:
            return ""
        return self._sealer.open(self._subject(letter), "outbox", "said", str(letter.id), letter.sealed_said)

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
        return str(letter.patient_id or letter.person_id or "clinic")


def _count(result: Result[Any]) -> int:
    return cast(CursorResult[Any], result).rowcount
