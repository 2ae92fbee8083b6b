"""The second road: channels beside Telegram, and what went over them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table, own_id
from storage.tables.post import Position


class DispatchState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # tried several times; an incident tells of it
    DROPPED = "dropped"  # not needed any more: taken, over, or the channel was removed


class Channel(Table):
    """An address of one member of staff, who may have several: an apprise URL, a mail address or a phone number."""

    __tablename__ = "channels"

    id: Mapped[UUID] = own_id()
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    sealed_address: Mapped[bytes]
    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Dispatch(Table):
    """One content-free line to one channel; without a channel it goes to the operator's own ones."""

    __tablename__ = "dispatches"

    position: Mapped[int] = mapped_column(Position, primary_key=True, autoincrement=True)
    kind: Mapped[str]
    channel_id: Mapped[UUID | None] = mapped_column(ForeignKey("channels.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    subject_id: Mapped[UUID | None]  # the alert or incident
    state: Mapped[DispatchState] = mapped_column(default=DispatchState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    written_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    __table_args__ = (Index(None, "state", "due_at"), Index(None, "subject_id"))
