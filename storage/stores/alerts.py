"""Alerts, findings and the audit trail, by name."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from storage.crypto import Sealer
from storage.tables.alerts import Alert, AlertPass, AlertState, AuditEntry, Finding

CODE_ALPHABET = "ACDEFGHJKLMNPQRTUVWXY34679"  # nothing that is mistaken for something else when read out
CODE_LENGTH = 5

TRAIL_LOCK = 7_260_001  # PostgreSQL: who holds it appends to the trail

Values = dict[str, float | int | str]

# All of it in its order, some rows in memory at a time: a trail of years is longer than memory is large.
TRAIL = (
    select(
        AuditEntry.position, AuditEntry.link, AuditEntry.at, AuditEntry.actor_id, AuditEntry.act,
        AuditEntry.subject_id, AuditEntry.detail,
    )
    .order_by(AuditEntry.position)
    .execution_options(yield_per=1000)
)  # fmt: skip


class Alerts:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def add(self, *, patient_id: UUID, rule: str, level: str, next_step_at: datetime) -> Alert:
        alert = Alert(
            id=uuid4(),
            code=self._free_code(),
            patient_id=patient_id,
            rule=rule,
            level=level,
            state=AlertState.OPEN,
            raised_at=self._now,
            clock_from=self._now,
            round=0,
            next_step_at=next_step_at,
            revision=1,
        )
        self._session.add(alert)
        self._session.flush()
        return alert

    def get(self, alert_id: UUID) -> Alert:
        return self._session.get_one(Alert, alert_id)

    def find(self, alert_id: UUID) -> Alert | None:
        return self._session.get(Alert, alert_id)

    def open_for(self, patient_id: UUID, rule: str) -> Alert | None:
        return self._session.scalar(
            select(Alert).where(Alert.patient_id == patient_id, Alert.rule == rule, Alert.state != AlertState.CLOSED)
        )

    def all_open(self) -> Sequence[Alert]:
        return self._session.scalars(
            select(Alert).where(Alert.state != AlertState.CLOSED).order_by(Alert.raised_at)
        ).all()

    def of(self, patient_id: UUID) -> Sequence[Alert]:
        return self._session.scalars(
            select(Alert).where(Alert.patient_id == patient_id).order_by(Alert.raised_at, Alert.code)
        ).all()

    def due_for_a_step(self, now: datetime, limit: int = 50) -> Sequence[Alert]:
        return self._session.scalars(
            select(Alert)
            .where(Alert.next_step_at.is_not(None), Alert.next_step_at <= now)
            .order_by(Alert.next_step_at)
            .limit(limit)
        ).all()

    def overdue(self, before: datetime) -> Sequence[Alert]:
        """Alerts that nobody closed and whose next step has not been done, or that have none."""
        return self._session.scalars(
            select(Alert).where(
                Alert.state != AlertState.CLOSED, or_(Alert.next_step_at.is_(None), Alert.next_step_at <= before)
            )
        ).all()

    def next_step(self) -> datetime | None:
        return self._session.scalar(select(func.min(Alert.next_step_at)))

    def pass_over(self, alert: Alert, person_id: UUID) -> None:
        self._session.merge(AlertPass(alert_id=alert.id, person_id=person_id))
        self._session.flush()

    def passed_over(self, alert: Alert) -> set[UUID]:
        return set(self._session.scalars(select(AlertPass.person_id).where(AlertPass.alert_id == alert.id)))

    def forget_passes(self, alert: Alert) -> None:
        self._session.execute(delete(AlertPass).where(AlertPass.alert_id == alert.id))

    def set_closing_note(self, alert: Alert, note: str) -> None:
        alert.sealed_closing = self._sealer.seal(str(alert.patient_id), "alerts", "closing", str(alert.id), note)

    def closing_note(self, alert: Alert) -> str:
        if alert.sealed_closing is None:
            return ""
        return self._sealer.open(str(alert.patient_id), "alerts", "closing", str(alert.id), alert.sealed_closing)

    def _free_code(self) -> str:
        while True:
            code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
            if self._session.scalar(select(Alert.id).where(Alert.code == code)) is None:
                return code


class Findings:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def add(
        self, *, patient_id: UUID, rule: str, level: str, day: date, reason: str, values: Values, source: str
    ) -> Finding:
        finding = Finding(
            id=uuid4(),
            patient_id=patient_id,
            rule=rule,
            level=level,
            day=day,
            found_at=self._now,
            source=source,
            alert_id=None,
        )
        finding.sealed_reason = self._sealer.seal(
            str(patient_id), "findings", "reason", str(finding.id), json.dumps([reason, values])
        )
        self._session.add(finding)
        self._session.flush()
        return finding

    def levels_from(self, patient_id: UUID, rule: str, source: str) -> Sequence[str]:
        """What a rule has already seen in one source."""
        return self._session.scalars(
            select(Finding.level).where(
                Finding.patient_id == patient_id, Finding.rule == rule, Finding.source == source
            )
        ).all()

    def reason(self, finding: Finding) -> tuple[str, Values]:
        """The text key and the numbers of its sentence."""
        opened = self._sealer.open(
            str(finding.patient_id), "findings", "reason", str(finding.id), finding.sealed_reason
        )
        key, values = json.loads(opened)
        return str(key), dict(values)

    def of_alert(self, alert_id: UUID) -> Sequence[Finding]:
        return self._session.scalars(
            select(Finding).where(Finding.alert_id == alert_id).order_by(Finding.found_at)
        ).all()

    def of(self, patient_id: UUID, rule: str) -> Sequence[Finding]:
        return self._session.scalars(
            select(Finding).where(Finding.patient_id == patient_id, Finding.rule == rule).order_by(Finding.found_at)
        ).all()


class Audit:
    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now
        self.written: list[AuditEntry] = []

    def record(self, act: str, *, actor: UUID | None, subject: UUID | None = None, detail: str = "") -> None:
        """Appends one entry at the end of the transaction. `detail` holds codes and states, never health text."""
        self.written.append(AuditEntry(at=self._now, actor_id=actor, act=act, subject_id=subject, detail=detail))

    def trail(self, subject: UUID | None = None) -> Sequence[AuditEntry]:
        query = select(AuditEntry).order_by(AuditEntry.position)
        return self._session.scalars(query if subject is None else query.where(AuditEntry.subject_id == subject)).all()

    def first_broken(self) -> int | None:
        """The position of the first entry whose link does not follow from the one before; None when all hold."""
        previous = ""
        for position, link, at, actor_id, act, subject_id, detail in self._session.execute(TRAIL):
            if link != link_of(previous, at, actor_id, act, subject_id, detail):
                return position
            previous = link
        return None


def append_to_trail(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Links entries to the trail. The last thing before a commit: on PostgreSQL the end of the trail is locked until
    then, and nobody who holds it may still wait for another row."""
    if not entries:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(TRAIL_LOCK)))
    previous = connection.scalar(select(AuditEntry.link).order_by(AuditEntry.position.desc()).limit(1)) or ""
    rows = []
    for entry in entries:
        previous = link_of(previous, entry.at, entry.actor_id, entry.act, entry.subject_id, entry.detail)
        rows.append(
            {
                "at": entry.at, "actor_id": entry.actor_id, "act": entry.act, "subject_id": entry.subject_id,
                "detail": entry.detail, "link": previous,
            }
        )  # fmt: skip
    connection.execute(insert(AuditEntry), rows)


def link_of(
    previous: str, at: datetime, actor_id: UUID | None, act: str, subject_id: UUID | None, detail: str
) -> str:  # fmt: skip
    said = [previous, at.isoformat(), str(actor_id), act, str(subject_id), detail]
    return hashlib.sha256("\x1f".join(said).encode()).hexdigest()
