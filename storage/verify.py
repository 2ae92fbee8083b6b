"""Proof that a database is whole: its file, its references, its audit trail, its seals and its promises."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from storage.crypto import MasterKeys
from storage.sealed import open_sealed
from storage.stores.alerts import Audit
from storage.tables.alerts import Alert, AlertState
from storage.tables.post import InboxRow

SHOWN = 3  # so many examples are named


@dataclass(frozen=True, slots=True)
class Proof:
    name: str
    whole: bool
    says: str


def prove(
    connection: Connection,
    masters: MasterKeys,
    now: datetime,
    *,
    sample: int | None = None,
    moved: Callable[[int], None] = lambda rows: None,
) -> Iterator[Proof]:
    """Every proof, the cheap and fundamental ones first."""
    if connection.dialect.name == "sqlite":
        yield _file(connection)
        yield _references(connection)
        yield _inbox(connection)
    yield audit_trail(connection, now)
    yield _promises(connection)
    yield _seals(connection, masters, sample, moved)


def _file(connection: Connection) -> Proof:
    found = [line for (line,) in connection.exec_driver_sql("PRAGMA integrity_check(10)")]
    if found == ["ok"]:
        return Proof("database file", True, "every page and index is whole")
    return Proof("database file", False, f"damaged: {'; '.join(found[:SHOWN])}. Restore a backup.")


def _references(connection: Connection) -> Proof:
    found = sorted({f"{row[0]} → {row[2]}" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")})
    if not found:
        return Proof("references", True, "every row that is referred to is there")
    return Proof("references", False, f"rows are missing: {', '.join(found[:SHOWN])}. Restore a backup.")


def _inbox(connection: Connection) -> Proof:
    """SQLite numbers rows without gaps and we never remove one, so a gap is a lost update. PostgreSQL leaves gaps."""
    query = select(func.min(InboxRow.position), func.max(InboxRow.position), func.count())
    first, last, count = connection.execute(query).one()
    missing = (last - first + 1 - count) if count else 0
    if missing:
        return Proof("inbox", False, f"{missing} updates between {first} and {last} are gone. Restore a backup.")
    return Proof("inbox", True, f"{count} updates, none missing")


def audit_trail(connection: Connection, now: datetime) -> Proof:
    """No entry was changed or removed since it was written."""
    with Session(connection) as session:
        broken = Audit(session, now).first_broken()
    if broken is not None:
        return Proof("audit trail", False, f"entry {broken} was changed or removed after it was written")
    return Proof("audit trail", True, "whole")


def _promises(connection: Connection) -> Proof:
    """An open alert without a next step would never page anybody again."""
    query = select(Alert.code).where(Alert.state != AlertState.CLOSED, Alert.next_step_at.is_(None))
    forgotten = list(connection.scalars(query.order_by(Alert.raised_at)))
    if forgotten:
        return Proof("open alerts", False, f"no next step for {', '.join(forgotten)}: look after them by hand")
    return Proof("open alerts", True, "each has a next step")


def _seals(connection: Connection, masters: MasterKeys, sample: int | None, moved: Callable[[int], None]) -> Proof:
    opened = open_sealed(connection, masters, sample=sample, moved=moved)
    erased = f"; {opened.erased} were erased with their key" if opened.erased else ""
    if opened.broken:
        places = ", ".join(f"{count} in {place}" for place, count in sorted(opened.broken.items()))
        says = f"do not open: {places}. The key file is another one, or rows were changed by hand."
        return Proof("sealed fields", False, says)
    return Proof("sealed fields", True, f"{opened.fields} open{erased}")
