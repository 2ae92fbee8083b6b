"""Keeping and forgetting: what is noted about backups, and what is destroyed when it is old."""

from datetime import datetime, timedelta

from bot.services import incidents
from bot.services.incidents import IncidentKind
from bot.services.work import Work

LAST_BACKUP = "backup.last"
STREAM = "stream"  # the detail of its incident


def note_backup(work: Work, name: str) -> None:
    """The last backup is a fact that doctor and auditor look at; an earlier failure is over."""
    work.stores.facts.set(LAST_BACKUP, work.now.isoformat())
    work.stores.audit.record("backup.made", actor=work.caller.id, detail=name)
    incidents.close(work, IncidentKind.BACKUP, "")


def note_failed_backup(work: Work, which: str = "") -> None:
    work.stores.audit.record("backup.failed", actor=work.caller.id, detail=which)
    incidents.open(work, IncidentKind.BACKUP, which)


def note_stream(work: Work) -> None:
    """Nothing is written while all is well: each commit would be shipped again."""
    incidents.close(work, IncidentKind.BACKUP, STREAM)


def note_cleared(work: Work, name: str) -> None:
    work.stores.audit.record("replaced.removed", actor=None, detail=name)


def last_backup(work: Work) -> datetime | None:
    found = work.stores.facts.read(LAST_BACKUP)
    return datetime.fromisoformat(found) if found else None


def has_patients(work: Work) -> bool:
    return work.stores.patients.count() > 0


def forget_old(work: Work) -> None:
    """Empties the rows of old inbox days and destroys their keys; removes the words of old messages, if so set.

    Rows stay: their positions are named by answers, and an update that comes again is known by its row.
    """
    keeping = work.clinic.keeping
    day = (work.now - timedelta(days=keeping.raw_updates)).date()
    emptied = work.stores.inbox.empty_done_before(day)
    needed = work.stores.inbox.unfinished_days()
    destroyed = work.stores.keys.erase_inbox_days_before(day, keep=needed)
    said = 0
    if keeping.sent_texts:
        said = work.stores.outbox.forget_said_before(work.now - timedelta(days=keeping.sent_texts))
    if emptied or destroyed or said:
        work.stores.audit.record(
            "old.forgotten", actor=None, detail=f"{emptied} updates, {destroyed} day keys, {said} texts"
        )
