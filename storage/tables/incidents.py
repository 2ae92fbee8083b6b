"""Incidents: what went wrong with the house itself, from when until when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table, own_id


class Incident(Table):
    """One thing that is wrong, opened once and closed when it is over. `detail` is a code or an id of ours."""

    __tablename__ = "incidents"

    id: Mapped[UUID] = own_id()
    kind: Mapped[str]
    detail: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(index=True)
    closed_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "uq_incidents_one_open",
            "kind",
            "detail",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )
