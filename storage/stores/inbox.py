"""Raw updates as they came in, by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Update, bindparam, case, func, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from storage.crypto import Sealer
from storage.errors import ClaimLost
from storage.stores.keys import inbox_subject
from storage.stores.sql import count, database_time, rows_of
from storage.tables.post import MAX_ATTEMPTS, InboxRow, InboxState

EMPTY = b""
CLAIM = 100  # rows that one process takes at a time
CLAIM_SECONDS = 10  # after which another process may take them over; a row is handled in milliseconds


@dataclass(frozen=True, slots=True)
class Received:
    """One raw update as it came in."""

    update_id: int
    chat_key: str
    body: str


ROWS = rows_of(InboxRow)
STORE = insert(ROWS)
FINISH = update(ROWS).where(
    ROWS.c.position.in_(bindparam("positions", expanding=True)),
    ROWS.c.state == InboxState.WAITING, ROWS.c.claimed_by == bindparam("holder"),
)  # fmt: skip
TRIAGED = FINISH.values(claimed_until=None, triaged=True)
OVER = FINISH.values(claimed_until=None, state=bindparam("becomes"), done_at=bindparam("at"))


class Inbox:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def take_in(self, batch: Iterable[Received]) -> int:
        """Stores what is new in the batch and says how many; updates that are already here are left as they are."""
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
            sealed = self._sealer.seal(inbox_subject(day), "inbox", "body", binding, received.body)
            rows.append(
                {
                    "update_id": received.update_id, "chat_key": received.chat_key, "day": day, "sealed_body": sealed,
                    "state": InboxState.WAITING, "triaged": False, "attempts": 0, "looks": 0,
                    "received_at": self._now,
                }
            )  # fmt: skip
        if rows:
            self._session.execute(STORE, rows)
        return len(rows)

    def get(self, position: int) -> InboxRow:
        return self._session.get_one(InboxRow, position)

    def body(self, row: InboxRow) -> str:
        binding = f"{row.update_id}:{row.chat_key}"
        return self._sealer.open(inbox_subject(row.day), "inbox", "body", binding, row.sealed_body)

    def claim_untriaged(self, holder: str, limit: int = CLAIM) -> Sequence[InboxRow]:
        """Rows that nobody has looked at for danger, ignoring order.

        The first look is counted before it is taken, a later one by `look_again`: see `claim_turns`.
        """
        return self._claim(
            select(InboxRow)
            .where(InboxRow.state == InboxState.WAITING, InboxRow.triaged.is_(False), self._unclaimed(InboxRow))
            .order_by(InboxRow.position)
            .limit(limit),
            holder,
            looks=case((InboxRow.looks == 0, 1), else_=InboxRow.looks),
        )

    def claim_turns(self, holder: str, limit: int = CLAIM) -> Sequence[InboxRow]:
        """Triaged rows whose turn it is, at most one of each chat: its oldest that waits.

        The first try is counted before it is made, so that a row that kills the process is found; a later one only by
        `try_again`, when it is really made: a row must not die of kills that met it while it stood in line.
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
                .values(claimed_by=holder, claimed_until=self._later(CLAIM_SECONDS), **counted)
                .execution_options(synchronize_session=False)
            )
        return rows

    def _unclaimed(self, row: type[InboxRow]) -> ColumnElement[bool]:
        return or_(row.claimed_until.is_(None), row.claimed_until < database_time(self._session))

    def try_again(self, position: int, holder: str, attempt: int) -> None:
        """Counts a try that is made alone, and keeps the row for longer each time.

        Should the process end with it once more, the others go on meanwhile, and whatever killed it from outside is
        not likely to meet the same row again.
        """
        self._own(position, holder, attempts=attempt, claimed_until=self._later(CLAIM_SECONDS * (attempt - 1)))

    def look_again(self, position: int, holder: str) -> None:
        """Counts a look that is taken alone. The next one does not wait: it may be about danger."""
        self._own(position, holder, looks=InboxRow.looks + 1)

    def _own(self, position: int, holder: str, **becomes: Any) -> None:
        self._session.execute(
            update(InboxRow)
            .where(InboxRow.position == position, InboxRow.claimed_by == holder)
            .values(**becomes)
            .execution_options(synchronize_session=False)
        )

    def _later(self, seconds: float) -> ColumnElement[Any]:
        return database_time(self._session, seconds)

    def forget_looks(self, holder: str) -> None:
        """The database cut short what this process was looking at: the rows are free at once, and the look is none."""
        self._session.execute(
            update(InboxRow)
            .where(InboxRow.state == InboxState.WAITING, InboxRow.triaged.is_(False), InboxRow.claimed_by == holder)
            .values(claimed_until=None, claimed_by=None, looks=InboxRow.looks - 1)
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
        """On SQLite there is only this process: whatever is still claimed was claimed by one that has died.

        Only what died with it more than once, and alone, waits out its claim.
        """
        self._session.execute(
            update(InboxRow)
            .where(InboxRow.claimed_until.is_not(None), InboxRow.attempts < MAX_ATTEMPTS)
            .values(claimed_until=None)
        )

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

    def waiting(self, limit: int) -> Sequence[InboxRow]:
        """What waits longest."""
        return self._session.scalars(
            select(InboxRow).where(InboxRow.state == InboxState.WAITING).order_by(InboxRow.position).limit(limit)
        ).all()

    def mark_triaged(self, positions: Sequence[int], holder: str) -> None:
        self._finish(TRIAGED, positions, holder)

    def mark_done(self, position: int, holder: str) -> None:
        """Raises `ClaimLost` when another process has taken the row over: then nothing of this act is kept."""
        self._finish(OVER, [position], holder, becomes=InboxState.DONE, at=self._now)

    def mark_dead(self, position: int, holder: str) -> None:
        self._finish(OVER, [position], holder, becomes=InboxState.DEAD, at=self._now)

    def _finish(self, how: Update, positions: Sequence[int], holder: str, **values: Any) -> None:
        done = self._session.execute(how, {"positions": positions, "holder": holder, **values})
        if count(done) != len(positions):
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
        return count(emptied)

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

    def replay(self, position: int) -> bool:
        """A buried row waits again, as new. False when there is none at this place."""
        row = self._session.get(InboxRow, position)
        if row is None or row.state != InboxState.DEAD:
            return False
        row.state, row.attempts, row.looks, row.done_at, row.triaged = InboxState.WAITING, 0, 0, None, False
        row.claimed_until = None
        return True
