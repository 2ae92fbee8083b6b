"""Inbox, outbox and cards, by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Result,
    Select,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from storage.crypto import Sealer
from storage.errors import ClaimLost, NotLeading
from storage.stores.keys import inbox_subject
from storage.tables.people import Chat, ChatState
from storage.tables.post import Card, InboxRow, InboxState, Lease, Letter, LetterState

EMPTY = b""
MAX_ATTEMPTS = 3  # a row that failed three times is dead
CLAIM = 100  # rows that one process takes at a time
CLAIM_SECONDS = 10  # after which another process may take them over; a row is handled in milliseconds


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

    def claim_untriaged(self, holder: str, limit: int = CLAIM) -> Sequence[InboxRow]:
        """Rows that nobody has looked at for danger, ignoring order. The look is counted before it is taken."""
        rows = self._claim(
            select(InboxRow)
            .where(InboxRow.state == InboxState.WAITING, InboxRow.triaged.is_(False), self._unclaimed(InboxRow))
            .order_by(InboxRow.position)
            .limit(limit),
            holder,
            looks=InboxRow.looks + 1,
        )
        return rows

    def claim_turns(self, holder: str, limit: int = CLAIM) -> Sequence[InboxRow]:
        """Triaged rows whose turn it is, at most one of each chat: its oldest that waits.

        The first try is counted before it is made, so that a row that kills the process is found; a later one only by
        `begin_again`, when it is really made: a row must not die of kills that met it while it stood in line.
        """
        older = aliased(InboxRow)
        earlier = select(older.position).where(
            older.state == InboxState.WAITING,
            older.chat_key == InboxRow.chat_key,
            older.position < InboxRow.position,
        )
        return self._claim(
            select(InboxRow)
            .where(
                InboxRow.state == InboxState.WAITING,
                InboxRow.triaged.is_(True),
                ~earlier.exists(),
                self._unclaimed(InboxRow),
            )
            .order_by(InboxRow.position)
            .limit(limit),
            holder,
            attempts=case((InboxRow.attempts == 0, 1), else_=InboxRow.attempts),
        )

    def _claim(self, which: Select[InboxRow], holder: str, **counted: Any) -> Sequence[InboxRow]:
        rows = self._session.scalars(which.with_for_update(skip_locked=True, of=InboxRow)).all()
        if rows:
            self._session.execute(
                update(InboxRow)
                .where(InboxRow.position.in_([row.position for row in rows]))
                .values(claimed_by=holder, claimed_until=database_time(self._session, CLAIM_SECONDS), **counted)
                .execution_options(synchronize_session=False)
            )
        return rows

    def _unclaimed(self, row: type[InboxRow]) -> ColumnElement[bool]:
        return or_(row.claimed_until.is_(None), row.claimed_until < database_time(self._session))

    def begin_again(self, position: int, holder: str) -> None:
        self._session.execute(
            update(InboxRow)
            .where(InboxRow.position == position, InboxRow.claimed_by == holder)
            .values(attempts=InboxRow.attempts + 1)
            .execution_options(synchronize_session=False)
        )

    def release(self, position: int, holder: str, *, uncount: bool = False) -> None:
        """The row may be claimed again now; `uncount` for a try that failed through no fault of the row."""
        self._session.execute(
            update(InboxRow)
            .where(InboxRow.position == position, InboxRow.claimed_by == holder, InboxRow.state == InboxState.WAITING)
            .values(claimed_until=None, attempts=InboxRow.attempts - (1 if uncount else 0))
            .execution_options(synchronize_session=False)
        )

    def release_all(self) -> None:
        """On SQLite there is only this process: whatever is still claimed was claimed by one that has died."""
        self._session.execute(update(InboxRow).where(InboxRow.claimed_until.is_not(None)).values(claimed_until=None))

    def count_waiting(self) -> int:
        return (
            self._session.scalar(select(func.count()).select_from(InboxRow).where(InboxRow.state == InboxState.WAITING))
            or 0
        )

    def last_position(self) -> int:
        """The place of the newest row; 0 when none has come in yet."""
        return self._session.scalar(select(func.max(InboxRow.position))) or 0

    def oldest_waiting(self) -> datetime | None:
        """When the row that waits longest came in."""
        return self._session.scalar(
            select(InboxRow.received_at)
            .where(InboxRow.state == InboxState.WAITING)
            .order_by(InboxRow.position)
            .limit(1)
        )

    def dead(self) -> Sequence[InboxRow]:
        return self._session.scalars(
            select(InboxRow).where(InboxRow.state == InboxState.DEAD).order_by(InboxRow.position)
        ).all()

    def mark_triaged(self, position: int, holder: str) -> None:
        self._finish(position, holder, triaged=True)

    def mark_done(self, position: int, holder: str) -> None:
        """Raises `ClaimLost` when another process has taken the row over: then nothing of this act is kept."""
        self._finish(position, holder, state=InboxState.DONE, done_at=self._now)

    def mark_dead(self, position: int, holder: str) -> None:
        self._finish(position, holder, state=InboxState.DEAD, done_at=self._now)

    def _finish(self, position: int, holder: str, **becomes: Any) -> None:
        done = self._session.execute(
            update(InboxRow)
            .where(InboxRow.position == position, InboxRow.state == InboxState.WAITING, InboxRow.claimed_by == holder)
            .values(claimed_until=None, **becomes)
            .execution_options(synchronize_session=False)
        )
        if not cast("CursorResult[Any]", done).rowcount:
            raise ClaimLost

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

    def empty(self, chat_key: str, position: int) -> None:
        """Empties what one chat ever sent, and the update that is being handled; later ones keep their turn."""
        self._session.execute(
            update(InboxRow)
            .where(
                InboxRow.chat_key == chat_key,
                or_(InboxRow.state != InboxState.WAITING, InboxRow.position == position),
            )
            .values(sealed_body=EMPTY)
            .execution_options(synchronize_session=False)
        )
        self._session.execute(
            update(InboxRow)
            .where(InboxRow.chat_key == chat_key, InboxRow.state == InboxState.DEAD)
            .values(state=InboxState.DONE)
            .execution_options(synchronize_session=False)
        )

    def replay(self, position: int) -> None:
        row = self.get(position)
        row.state, row.attempts, row.looks, row.done_at, row.triaged = InboxState.WAITING, 0, 0, None, False


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
        return _count(forgotten)

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


class Leases:
    """Who alone may poll, tick and send. Only the database's clock counts, so that no two processes disagree."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, name: str, holder: str, seconds: float) -> int | None:
        """Prolongs the holder's own lease or takes one that has run out; gives its term, None when another holds it.

        Each new holder has a new term. Waits for a transaction of the present holder that has passed `require`.
        """
        running = select(Lease.holder).where(Lease.name == name, Lease.until > database_time(self._session))
        if self._session.scalar(running) not in (None, holder):
            return None  # seen without touching the row: whoever only looks is in nobody's way
        fresh = insert_for(self._session)(Lease).values(
            name=name, holder=holder, until=database_time(self._session, seconds), term=1
        )
        own = Lease.holder == holder
        taken = self._session.execute(
            fresh.on_conflict_do_update(
                index_elements=[Lease.name],
                set_={
                    "holder": holder,
                    "until": database_time(self._session, seconds),
                    "term": case((own, Lease.term), else_=Lease.term + 1),
                },
                where=or_(own, Lease.until < database_time(self._session)),
            ).returning(Lease.term)
        )
        return taken.scalar_one_or_none()

    def require(self, name: str, holder: str, term: int) -> None:
        """Raises `NotLeading` unless this is the running term. Until the transaction ends nobody else can begin one."""
        held = self._session.scalar(
            select(Lease.term)
            .where(
                Lease.name == name,
                Lease.holder == holder,
                Lease.term == term,
                Lease.until > database_time(self._session),
            )
            .with_for_update(read=True)
        )
        if held is None:
            raise NotLeading

    def give_up(self, name: str, holder: str) -> None:
        """A process that stops in order lets the next one begin at once."""
        self._session.execute(
            update(Lease)
            .where(Lease.name == name, Lease.holder == holder)
            .values(until=database_time(self._session, -1))
            .execution_options(synchronize_session=False)
        )


def insert_for(session: Session) -> Any:
    """The INSERT of the engine in use: both have ON CONFLICT, each in a dialect of its own."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def _count(result: Result[Any]) -> int:
    return cast(CursorResult[Any], result).rowcount


def database_time(session: Session, ahead: float = 0) -> ColumnElement[Any]:
    """The database's own clock, which all processes share; `ahead` in seconds."""
    if session.get_bind().dialect.name == "postgresql":
        return literal_column(f"(clock_timestamp() + interval '{ahead} seconds')")
    return literal_column(f"strftime('%Y-%m-%d %H:%M:%f', 'now', '{ahead:+} seconds')")
