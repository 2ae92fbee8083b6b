"""Incidents, by name."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.tables.incidents import Incident


class Incidents:
    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now

    def open(self, kind: str, detail: str) -> Incident | None:
        """None when it is open already."""
        if any(known.detail == detail for known in self.all_open(kind)):
            return None
        incident = Incident(id=uuid4(), kind=kind, detail=detail, opened_at=self._now, closed_at=None)
        self._session.add(incident)
        self._session.flush()
        return incident

    def close(self, kind: str, detail: str | None = None) -> Sequence[Incident]:
        """Closes what is open of a kind, or the one with this detail; returns what was."""
        over = [known for known in self.all_open(kind) if detail in (None, known.detail)]
        for incident in over:
            incident.closed_at = self._now
        return over

    def find(self, incident_id: UUID) -> Incident | None:
        return self._session.get(Incident, incident_id)

    def all_open(self, kind: str | None = None) -> Sequence[Incident]:
        query = select(Incident).where(Incident.closed_at.is_(None)).order_by(Incident.opened_at)
        return self._session.scalars(query if kind is None else query.where(Incident.kind == kind)).all()

    def over(self, limit: int = 10) -> Sequence[Incident]:
        """The last ones that ended, newest first."""
        return self._session.scalars(
            select(Incident).where(Incident.closed_at.is_not(None)).order_by(Incident.closed_at.desc()).limit(limit)
        ).all()
