"""Infusions, check-ins, answers and notes, by name."""

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from storage.crypto import Sealer
from storage.stores.agenda import ALL_DUE, DUE_BUT_EXPIRY
from storage.stores.sql import rows_of
from storage.tables.diary import (
    WAITING,
    CheckIn,
    CheckInState,
    Event,
    Infusion,
    InfusionState,
    Note,
    Response,
)
from storage.tables.people import Chat, Patient, Person

GIVEN_TO = (
    select(Infusion)
    .where(Infusion.patient_id == bindparam("patient"), Infusion.state == InfusionState.GIVEN)
    .order_by(Infusion.at, Infusion.recorded_at)
)
PLANNED_FOR = (
    select(Infusion)
    .where(
        Infusion.patient_id == bindparam("patient"), Infusion.state == InfusionState.PLANNED,
        Infusion.day >= bindparam("first"),
    )
    .order_by(Infusion.at)
)  # fmt: skip


class Infusions:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def add(
        self, *, patient_id: UUID, phase: str, at: datetime, day: date, details: dict[str, float], recorded_by: UUID,
        state: InfusionState = InfusionState.GIVEN,
    ) -> Infusion:  # fmt: skip
        infusion = Infusion(
            id=uuid4(),
            patient_id=patient_id,
            phase=phase,
            state=state,
            at=at,
            day=day,
            recorded_by=recorded_by,
            recorded_at=self._now,
        )
        self.set_details(infusion, details)
        self._session.add(infusion)
        self._session.flush()
        return infusion

    def get(self, infusion_id: UUID) -> Infusion:
        return self._session.get_one(Infusion, infusion_id)

    def given_to(self, patient_id: UUID) -> Sequence[Infusion]:
        return self._session.scalars(GIVEN_TO, {"patient": patient_id}).all()

    def find(self, infusion_id: UUID) -> Infusion | None:
        return self._session.get(Infusion, infusion_id)

    def planned_for(self, patient_id: UUID, first: date) -> Sequence[Infusion]:
        """Appointments from a day on; those before it were not kept, or nobody has recorded them."""
        return self._session.scalars(PLANNED_FOR, {"patient": patient_id, "first": first}).all()

    def details(self, infusion: Infusion) -> dict[str, float]:
        """`dose` in mg/kg; `systolic` and `diastolic` in mmHg; only what was entered."""
        opened = self._sealer.open(
            str(infusion.patient_id), "infusions", "details", str(infusion.id), infusion.sealed_details
        )
        return dict(json.loads(opened))

    def set_details(self, infusion: Infusion, details: dict[str, float]) -> None:
        infusion.sealed_details = self._sealer.seal(
            str(infusion.patient_id), "infusions", "details", str(infusion.id), json.dumps(details)
        )


ROWS = rows_of(CheckIn)
DELIVERED = (
    update(ROWS)
    .where(ROWS.c.id == bindparam("delivered"), ROWS.c.delivered_at.is_(None))
    .values(delivered_at=bindparam("at"))
)
CHECK_INS_OF = (
    select(CheckIn)
    .where(
        CheckIn.patient_id == bindparam("patient"), CheckIn.day >= bindparam("first"), CheckIn.day <= bindparam("last")
    )
    .order_by(CheckIn.due_at, CheckIn.slot)
)  # fmt: skip
WITH_ID = select(CheckIn).where(CheckIn.id.in_(bindparam("ids", expanding=True)))


def _due(which: tuple[ColumnElement[bool], ...]) -> Select[CheckIn, Patient, Person, Chat]:
    return (
        select(CheckIn, Patient, Person, Chat)
        .join(Patient, Patient.id == CheckIn.patient_id)
        .outerjoin(Person, Person.id == CheckIn.patient_id)
        .outerjoin(Chat, Chat.id == Person.chat_id)
        .where(*which)
        .order_by(CheckIn.next_at)
        .limit(bindparam("most"))
    )


ALL, ALL_BUT_EXPIRY = _due(ALL_DUE), _due(DUE_BUT_EXPIRY)


class CheckIns:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._loaded: Sequence[Any] = ()  # the session itself forgets what nobody holds

    def add(self, check_in: CheckIn) -> None:
        self._session.add(check_in)

    def flush(self) -> None:
        self._session.flush()

    def get(self, check_in_id: UUID) -> CheckIn:
        return self._session.get_one(CheckIn, check_in_id)

    def find(self, check_in_id: UUID) -> CheckIn | None:
        return self._session.get(CheckIn, check_in_id)

    def load(self, check_in_ids: Collection[UUID]) -> None:
        """Reads several in one statement; `get` and `find` then read nothing more."""
        self._loaded = self._session.scalars(WITH_ID, {"ids": list(check_in_ids)}).all()

    def mark_delivered(self, check_in_ids: Collection[UUID], at: datetime) -> None:
        """Telegram has taken their prompt; of several the first counts."""
        if check_in_ids:
            self._session.execute(DELIVERED, [{"delivered": check_in_id, "at": at} for check_in_id in check_in_ids])

    def due(self, now: datetime, *, may_expire: bool = True, limit: int = 25) -> Sequence[CheckIn]:
        """What has something to do now: a prompt, a reminder or an expiry; oldest first, few at a time.

        Reads whom they ask, and where, beside them. Without `may_expire`, what would count an answer as missing waits.
        """
        rows = self._session.execute(ALL if may_expire else ALL_BUT_EXPIRY, {"now": now, "most": limit}).all()
        self._loaded = rows
        return [row.CheckIn for row in rows]

    def unanswered_since(self, since: datetime) -> Sequence[CheckIn]:
        """What was asked and could have been answered since then, newest first."""
        return self._session.scalars(
            select(CheckIn)
            .where(
                CheckIn.state.in_((CheckInState.PROMPTED, CheckInState.STARTED, CheckInState.EXPIRED)),
                CheckIn.prompted_at.is_not(None),
                CheckIn.expires_at >= since,
            )
            .order_by(CheckIn.due_at.desc())
        ).all()

    def all_due(self, now: datetime) -> Sequence[CheckIn]:
        """Everything that was to be asked by now and is not over."""
        return self._session.scalars(
            select(CheckIn).where(CheckIn.state.in_(WAITING), CheckIn.due_at <= now).order_by(CheckIn.due_at)
        ).all()

    def next_due(self) -> datetime | None:
        return self._session.scalar(select(func.min(CheckIn.next_at)))

    def open_for(self, patient_id: UUID) -> CheckIn | None:
        """The check-in that the patient is being asked now, the latest one if several wait."""
        return self._session.scalar(
            select(CheckIn)
            .where(CheckIn.patient_id == patient_id, CheckIn.state.in_((CheckInState.PROMPTED, CheckInState.STARTED)))
            .order_by(CheckIn.due_at.desc())
            .limit(1)
        )

    def of(self, patient_id: UUID, first: date | None = None, last: date | None = None) -> Sequence[CheckIn]:
        days = {"first": first or date.min, "last": last or date.max}
        return self._session.scalars(CHECK_INS_OF, {"patient": patient_id, **days}).all()

    def waiting_for(self, patient_id: UUID) -> Sequence[CheckIn]:
        return self._session.scalars(
            select(CheckIn).where(CheckIn.patient_id == patient_id, CheckIn.state.in_(WAITING)).order_by(CheckIn.due_at)
        ).all()


RESPONSES_OF = (
    select(Response)
    .where(Response.patient_id == bindparam("patient"))
    .order_by(Response.answered_at, Response.revision)
)
ADD = insert(rows_of(Response))
TO_CHECK_INS = (
    select(Response)
    .where(Response.check_in_id.in_(bindparam("check_ins", expanding=True)))
    .order_by(Response.answered_at, Response.revision)
)


class Responses:
    """Answers are only ever added, so what one unit of work has read or opened it does not read again."""

    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now
        self._to: dict[UUID, list[Response]] = {}
        self._opened: dict[UUID, int | None] = {}

    def add(
        self, *, check_in: CheckIn, instrument: str, version: str, item: str, value: int | None, mode: str, source: int
    ) -> Response | None:
        """The new answer, sealed; None when this source has already answered this item."""
        known = self.to(check_in.id)
        earlier = [row for row in known if row.instrument == instrument and row.item == item]
        if any(row.source == source for row in earlier):
            return None
        new_id = uuid4()
        sealed = self._sealer.seal(str(check_in.patient_id), "responses", "value", str(new_id), json.dumps(value))
        row = {
            "id": new_id, "check_in_id": check_in.id, "patient_id": check_in.patient_id, "instrument": instrument,
            "version": version, "item": item, "sealed_value": sealed,
            "revision": 1 + max((row.revision for row in earlier), default=0), "mode": mode, "answered_at": self._now,
            "source": source,
        }  # fmt: skip
        self._session.execute(ADD, row)
        response = Response(**row)
        self._to[check_in.id] = sorted([*known, response], key=lambda row: (row.answered_at, row.revision))
        self._opened[response.id] = value
        return response

    def value(self, response: Response) -> int | None:
        if response.id not in self._opened:
            self._opened[response.id] = json.loads(
                self._sealer.open(
                    str(response.patient_id), "responses", "value", str(response.id), response.sealed_value
                )
            )
        return self._opened[response.id]

    def to(self, check_in_id: UUID) -> Sequence[Response]:
        if check_in_id not in self._to:
            self.load_to([check_in_id])
        return self._to[check_in_id]

    def load_to(self, check_in_ids: Collection[UUID]) -> None:
        """Reads the answers to several check-ins in one statement."""
        self._to.update({check_in_id: [] for check_in_id in check_in_ids})
        for row in self._session.scalars(TO_CHECK_INS, {"check_ins": list(check_in_ids)}):
            self._to[row.check_in_id].append(row)

    def of(self, patient_id: UUID) -> Sequence[Response]:
        return self._session.scalars(RESPONSES_OF, {"patient": patient_id}).all()

    def last_days_of(self, patient_id: UUID) -> dict[str, date]:
        """The diary day on which each instrument was last answered."""
        rows = self._session.execute(
            select(Response.instrument, func.max(CheckIn.day))
            .join(CheckIn, Response.check_in_id == CheckIn.id)
            .where(Response.patient_id == patient_id)
            .group_by(Response.instrument)
        )
        return {row[0]: row[1] for row in rows}

    def of_item_since(
        self, patient_ids: Collection[UUID], instrument: str, item: str, first: date
    ) -> dict[UUID, list[Response]]:
        """The answers of several patients to one item since a diary day, oldest first, in one statement."""
        found: dict[UUID, list[Response]] = {patient_id: [] for patient_id in patient_ids}
        rows = self._session.scalars(
            select(Response)
            .join(CheckIn, Response.check_in_id == CheckIn.id)
            .where(CheckIn.patient_id.in_(patient_ids), CheckIn.day >= first)
            .where(Response.instrument == instrument, Response.item == item)
            .order_by(Response.answered_at, Response.revision)
        )
        for row in rows:
            found[row.patient_id].append(row)
        return found

    def of_item(self, patient_id: UUID, instrument: str, item: str, limit: int = 60) -> Sequence[Response]:
        """The newest answers to one item, oldest first; at most `limit`."""
        newest = self._session.scalars(
            select(Response)
            .where(Response.patient_id == patient_id, Response.instrument == instrument, Response.item == item)
            .order_by(Response.answered_at.desc(), Response.revision.desc())
            .limit(limit)
        ).all()
        return newest[::-1]


NOTES_OF = select(Note).where(Note.patient_id == bindparam("patient")).order_by(Note.written_at)


class Notes:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def add(self, *, patient_id: UUID, day: date, text: str, source: int) -> Note | None:
        """The new note, sealed; None when this source has already written it."""
        if self._session.scalar(select(Note.id).where(Note.source == source)) is not None:
            return None
        note = Note(id=uuid4(), patient_id=patient_id, day=day, written_at=self._now, source=source)
        note.sealed_text = self._sealer.seal(str(patient_id), "notes", "text", str(note.id), text)
        self._session.add(note)
        return note

    def text(self, note: Note) -> str:
        return self._sealer.open(str(note.patient_id), "notes", "text", str(note.id), note.sealed_text)

    def of(self, patient_id: UUID) -> Sequence[Note]:
        return self._session.scalars(NOTES_OF, {"patient": patient_id}).all()


EVENTS_OF = select(Event).where(Event.patient_id == bindparam("patient")).order_by(Event.day, Event.recorded_at)


class Events:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def add(
        self,
        *,
        patient_id: UUID,
        day: date,
        kind: str,
        text: str = "",
        until: date | None = None,
        by: UUID | None = None,
    ) -> Event:
        event = Event(
            id=uuid4(), patient_id=patient_id, day=day, until=until, kind=kind, recorded_by=by, recorded_at=self._now
        )
        event.sealed_text = self._sealer.seal(str(patient_id), "events", "text", str(event.id), text)
        self._session.add(event)
        self._session.flush()
        return event

    def get(self, event_id: UUID) -> Event:
        return self._session.get_one(Event, event_id)

    def text(self, event: Event) -> str:
        return self._sealer.open(str(event.patient_id), "events", "text", str(event.id), event.sealed_text)

    def of(self, patient_id: UUID) -> Sequence[Event]:
        return self._session.scalars(EVENTS_OF, {"patient": patient_id}).all()
