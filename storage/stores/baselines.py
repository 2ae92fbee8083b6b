"""Reviewed baselines, by name."""

import json
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from storage.crypto import Sealer
from storage.tables.diary import ReviewedBaseline

Terms = dict[str, float]


NEWEST = (
    select(ReviewedBaseline)
    .where(ReviewedBaseline.patient_id == bindparam("patient"))
    .order_by(ReviewedBaseline.signed_at.desc())
    .limit(1)
)


class Baselines:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def sign(self, *, patient_id: UUID, by: UUID, day: date, terms: Terms) -> ReviewedBaseline:
        row = ReviewedBaseline(
            id=uuid4(), patient_id=patient_id, signed_by=by, signed_at=self._now, signed_on=day, ended_on=None
        )
        row.sealed_terms = self._sealer.seal(
            str(patient_id), "reviewed_baselines", "terms", str(row.id), json.dumps(terms)
        )
        self._session.add(row)
        self._session.flush()
        return row

    def newest(self, patient_id: UUID) -> ReviewedBaseline | None:
        return self._session.scalar(NEWEST, {"patient": patient_id})

    def terms(self, row: ReviewedBaseline) -> Terms:
        """`ceiling`, `mean` and `item9`."""
        opened = self._sealer.open(str(row.patient_id), "reviewed_baselines", "terms", str(row.id), row.sealed_terms)
        return dict(json.loads(opened))
