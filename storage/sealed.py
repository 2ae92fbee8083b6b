"""Which columns are sealed, for which subject and bound to which row: what has to open when a database is proved."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, func, select
from sqlalchemy import Table as SchemaTable

from storage.crypto import MasterKeys, Sealer
from storage.errors import NoSuchMasterKey, WrongKey
from storage.stores.keys import Erased, inbox_subject
from storage.stores.outbox import said_subject
from storage.stores.people import CHATS_SUBJECT
from storage.tables import Table
from storage.tables.keys import SubjectKey

ROWS_AT_ONCE = 500
PREFIX = "sealed_"

Row = Any  # a row with every column of its table as an attribute


@dataclass(frozen=True, slots=True)
class Binding:
    """Subject and row of what is sealed in a table; by default those of the stores: the patient's, by id."""

    subject: Callable[[Row], str] = lambda row: str(row.patient_id)
    row: Callable[[Row], str] = lambda row: str(row.id)


BINDINGS = {
    "people": Binding(subject=lambda row: str(row.id)),
    "patients": Binding(subject=lambda row: str(row.id)),
    "chats": Binding(subject=lambda row: CHATS_SUBJECT),
    "dialogues": Binding(subject=lambda row: CHATS_SUBJECT, row=lambda row: str(row.chat_id)),
    "rota": Binding(subject=lambda row: str(row.person_id), row=lambda row: str(row.person_id)),
    "inbox": Binding(
        subject=lambda row: inbox_subject(row.day), row=lambda row: f"{row.update_id}:{row.chat_key}"
    ),
    "outbox": Binding(subject=lambda row: said_subject(row.patient_id, row.person_id)),
}  # fmt: skip


@dataclass(slots=True)
class Opened:
    """How many sealed values opened, how many belong to somebody whose key was destroyed, and where one did not."""

    fields: int = 0
    erased: int = 0
    broken: dict[str, int] | None = None

    def fails(self, column: str) -> None:
        self.broken = self.broken or {}
        self.broken[column] = self.broken.get(column, 0) + 1


class KnownKeys:
    """The subject keys of a connection, read only."""

    def __init__(self, connection: Connection, masters: MasterKeys) -> None:
        self._connection = connection
        self._masters = masters
        self._known: dict[str, bytes | None] = {}

    def key_for(self, subject: str) -> bytes:
        return self.existing_key(subject)

    def existing_key(self, subject: str) -> bytes:
        if subject not in self._known:
            row = self._connection.execute(select(SubjectKey).where(SubjectKey.subject == subject)).first()
            self._known[subject] = self._masters.unwrap(subject, row.master, row.wrapped) if row else None
        known = self._known[subject]
        if known is None:
            raise Erased
        return known


def sealed_columns() -> Iterator[tuple[SchemaTable, Column[Any]]]:
    for table in Table.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, LargeBinary) and table.name != SubjectKey.__tablename__:
                yield table, column


def count_sealed(connection: Connection, sample: int | None) -> int:
    """How many values `open_sealed` will try."""
    counts = (connection.scalar(select(func.count(column))) or 0 for _, column in sealed_columns())
    return sum(min(count, sample) if sample else count for count in counts)


def open_sealed(
    connection: Connection, masters: MasterKeys, *, sample: int | None = None, moved: Callable[[int], None]
) -> Opened:
    """Tries to open every sealed value, or the `sample` newest of each column."""
    sealer, opened = Sealer(KnownKeys(connection, masters)), Opened()
    for table, column in sealed_columns():
        query = select(table).where(column.is_not(None), func.length(column) > 0)
        if sample:
            query = query.order_by(*[key.desc() for key in table.primary_key]).limit(sample)
        rows = connection.execution_options(stream_results=True, yield_per=ROWS_AT_ONCE).execute(query)
        for batch in rows.partitions():
            for row in batch:
                _open(sealer, table, column, row, opened)
            moved(len(batch))
    return opened


def _open(sealer: Sealer, table: SchemaTable, column: Column[Any], row: Row, opened: Opened) -> None:
    binding = BINDINGS.get(table.name, Binding())
    name = column.name.removeprefix(PREFIX)
    try:
        sealer.open(binding.subject(row), table.name, name, binding.row(row), getattr(row, column.name))
        opened.fields += 1
    except Erased:
        opened.erased += 1
    except (WrongKey, NoSuchMasterKey):
        opened.fails(f"{table.name}.{name}")
