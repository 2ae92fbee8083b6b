"""Alerts, the findings they rest on, and the audit trail."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table, own_id


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"  # a person owns it
    CONTACTED = "contacted"  # that person has reached the patient
    CLOSED = "closed"


class Alert(Table):
    """One condition of one patient. While it is not closed, `next_step_at` holds the next escalation step."""

    __tablename__ = "alerts"

    id: Mapped[UUID] = own_id()
    code: Mapped[str] = mapped_column(unique=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    rule: Mapped[str]
    level: Mapped[str]
    state: Mapped[AlertState]
    raised_at: Mapped[datetime]
    clock_from: Mapped[datetime]  # escalation time runs from here: raised, risen, handed over, or taken without contact
    round: Mapped[int]  # steps of the running escalation so far; of a contacted alert, how often its owner was reminded
    next_step_at: Mapped[datetime | None]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    reached_at: Mapped[datetime | None]  # when the first page was taken by Telegram or by a channel
    acknowledged_at: Mapped[datetime | None]
    promised_at: Mapped[datetime | None]  # the owner will have phoned the patient before this
    contacted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    sealed_closing: Mapped[bytes | None]
    revision: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(server_default="1")  # of two processes that change one row, one begins anew
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute
    __table_args__ = (
        Index(None, "next_step_at"),
        Index(None, "patient_id"),
        Index(
            "uq_alerts_one_open",
            "patient_id",
            "rule",
            unique=True,
            sqlite_where=text("state != 'closed'"),
            postgresql_where=text("state != 'closed'"),
        ),
    )


class AlertPass(Table):
    """A person who is not paged again before everybody is: said «Not now», or took the alert and made no contact."""

    __tablename__ = "alert_passes"

    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alerts.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)


class Finding(Table):
    """What a rule saw; `source` makes the same observation count once a level (inbox position, check-in, or day)."""

    __tablename__ = "findings"

    id: Mapped[UUID] = own_id()
    alert_id: Mapped[UUID | None] = mapped_column(ForeignKey("alerts.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    rule: Mapped[str]
    level: Mapped[str]
    day: Mapped[date]
    sealed_reason: Mapped[bytes]  # text key and numbers
    found_at: Mapped[datetime]
    source: Mapped[str]
    __table_args__ = (UniqueConstraint("patient_id", "rule", "source", "level"),)


class AuditEntry(Table):
    """Who did what to whom, when. Append-only; each entry's `link` hashes the one before it, so a gap shows."""

    __tablename__ = "audit"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    act: Mapped[str]
    subject_id: Mapped[UUID | None] = mapped_column(index=True)
    detail: Mapped[str]  # codes and states only, never health text
    link: Mapped[str]
