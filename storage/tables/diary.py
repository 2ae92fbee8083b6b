"""The diary: infusions, check-ins, answers and notes. Answers are append-only."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table, own_id


class InfusionState(StrEnum):
    PLANNED = "planned"
    GIVEN = "given"
    CANCELLED = "cancelled"


class CheckInState(StrEnum):
    PLANNED = "planned"
    PROMPTED = "prompted"
    STARTED = "started"
    FINISHED = "finished"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


WAITING = (CheckInState.PLANNED, CheckInState.PROMPTED, CheckInState.STARTED)


class Infusion(Table):
    __tablename__ = "infusions"

    id: Mapped[UUID] = own_id()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    phase: Mapped[str]
    state: Mapped[InfusionState]
    at: Mapped[datetime]
    day: Mapped[date]
    sealed_details: Mapped[bytes]  # dose and blood pressure
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    recorded_at: Mapped[datetime]


class CheckIn(Table):
    """A promise to ask. `next_at` is the next moment at which something is due: prompt, reminder or expiry."""

    __tablename__ = "check_ins"

    id: Mapped[UUID] = own_id()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    day: Mapped[date]
    slot: Mapped[str]
    parts: Mapped[str]  # encoded parts of the protocol, in asking order
    infusion_number: Mapped[int | None]
    day_number: Mapped[int | None]
    state: Mapped[CheckInState]
    due_at: Mapped[datetime]
    remind_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    prompted_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    shown_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")  # of two processes that change one row, one begins anew
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute
    __table_args__ = (
        UniqueConstraint("patient_id", "day", "slot"),
        Index(None, "next_at"),
    )


class Response(Table):
    """One answer to one item, sealed. `source` is the inbox position that brought it: an update never counts twice."""

    __tablename__ = "responses"

    id: Mapped[UUID] = own_id()
    check_in_id: Mapped[UUID] = mapped_column(ForeignKey("check_ins.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    instrument: Mapped[str]
    version: Mapped[str]
    item: Mapped[str]
    sealed_value: Mapped[bytes]
    revision: Mapped[int]
    mode: Mapped[str]
    answered_at: Mapped[datetime]
    source: Mapped[int]
    __table_args__ = (
        UniqueConstraint("check_in_id", "instrument", "item", "revision"),
        UniqueConstraint("check_in_id", "instrument", "item", "source"),
    )


class Note(Table):
    """Free text at any time, sealed."""

    __tablename__ = "notes"

    id: Mapped[UUID] = own_id()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    day: Mapped[date]
    sealed_text: Mapped[bytes]
    written_at: Mapped[datetime]
    source: Mapped[int] = mapped_column(unique=True)


class Event(Table):
    """A dated entry beside the answers: pause, hospital stay, medication change, travel."""

    __tablename__ = "events"

    id: Mapped[UUID] = own_id()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    day: Mapped[date]
    until: Mapped[date | None]
    kind: Mapped[str]
    sealed_text: Mapped[bytes]
    recorded_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    recorded_at: Mapped[datetime]


class ReviewedBaseline(Table):
    """What a clinician signed as usual for a patient with chronic thoughts of suicide; the newest row counts."""

    __tablename__ = "reviewed_baselines"

    id: Mapped[UUID] = own_id()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    signed_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    signed_at: Mapped[datetime]
    signed_on: Mapped[date]
    ended_on: Mapped[date | None]
    sealed_terms: Mapped[bytes]  # ceiling and mean of the urge, PHQ-9 item 9
