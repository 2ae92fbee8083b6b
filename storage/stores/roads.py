"""Channels and dispatches, by name."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.crypto import Sealer
from storage.tables.roads import Channel, Dispatch, DispatchState


class Roads:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def add_channel(self, person_id: UUID, address: str, by: UUID | None) -> Channel:
        channel = Channel(id=uuid4(), person_id=person_id, added_by=by, added_at=self._now, removed_at=None)
        channel.sealed_address = self._sealer.seal(str(person_id), "channels", "address", str(channel.id), address)
        self._session.add(channel)
        self._session.flush()
        return channel

    def address(self, channel: Channel) -> str:
        return self._sealer.open(str(channel.person_id), "channels", "address", str(channel.id), channel.sealed_address)

    def channel(self, channel_id: UUID) -> Channel | None:
        return self._session.get(Channel, channel_id)

    def channels_of(self, person_id: UUID) -> Sequence[Channel]:
        return self._session.scalars(
            select(Channel)
            .where(Channel.person_id == person_id, Channel.removed_at.is_(None))
            .order_by(Channel.added_at, Channel.id)
        ).all()

    def write(self, kind: str, *, channel: Channel | None = None, subject_id: UUID | None = None) -> Dispatch:
        """A line to one channel, or to the operator's own ones."""
        dispatch = Dispatch(
            kind=kind, channel_id=channel.id if channel else None, person_id=channel.person_id if channel else None,
            subject_id=subject_id, state=DispatchState.WAITING, attempts=0, written_at=self._now, due_at=self._now,
        )  # fmt: skip
        self._session.add(dispatch)
        return dispatch

    def get(self, position: int) -> Dispatch:
        return self._session.get_one(Dispatch, position)

    def due(self, now: datetime, limit: int = 20) -> Sequence[Dispatch]:
        """What may go now. Several processes never take the same row at once."""
        return self._session.scalars(
            select(Dispatch)
            .where(Dispatch.state == DispatchState.WAITING, Dispatch.due_at <= now)
            .order_by(Dispatch.due_at, Dispatch.position)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()

    def next_due(self) -> datetime | None:
        return self._session.scalar(select(func.min(Dispatch.due_at)).where(Dispatch.state == DispatchState.WAITING))

    def last_about(self, subject_id: UUID, person_id: UUID) -> datetime | None:
        """When this person was last called about this alert or incident."""
        return self._session.scalar(
            select(func.max(Dispatch.written_at)).where(
                Dispatch.subject_id == subject_id, Dispatch.person_id == person_id
            )
        )

    def about(self, subject_id: UUID) -> Sequence[Dispatch]:
        return self._session.scalars(
            select(Dispatch).where(Dispatch.subject_id == subject_id).order_by(Dispatch.position)
        ).all()
