"""Units of work that share a commit, on both engines: one that fails undoes itself, and nothing of it stays."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.crypto import MasterKeys
from storage.engine import Database
from storage.errors import Conflict, Unavailable
from storage.stores import Stores
from storage.tables.alerts import Alert
from storage.tables.people import Patient

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url, MasterKeys.from_file(tmp_path / "master.keys"))
    database.migrate()
    yield database
    database.close()


def note(name: str) -> Callable[[Stores], str]:
    def act(stores: Stores) -> str:
        stores.facts.set(name, "noted")
        stores.audit.record(name, actor=None)
        return name

    return act


def poison(stores: Stores) -> str:
    stores.facts.set("poison", "noted")
    stores.audit.record("poison", actor=None)
    stores.keys.key_for("subject")
    raise ValueError("no such thing")


def add_patient(stores: Stores) -> Patient:
    return stores.patients.add(code="P-0001", zone="UTC", hour=600, country="US", protocol="ketamine-iv")


def test_a_poison_one_takes_nothing_with_it(database: Database) -> None:
    first, failed, second = database.together([(NOW, note("first")), (NOW, poison), (NOW, note("second"))])
    assert (first, second) == ("first", "second")
    assert isinstance(failed, ValueError)
    with database.unit_of_work(NOW) as stores:
        assert [entry.act for entry in stores.audit.trail()] == ["first", "second"]
        assert stores.audit.first_broken() is None
        assert stores.facts.read("poison") is None


def test_a_key_that_was_rolled_back_seals_nothing_later(database: Database) -> None:
    database.together([(NOW, note("first")), (NOW, poison)])
    key = database.transact(NOW, lambda stores: stores.keys.key_for("subject"))
    assert database.transact(NOW, lambda stores: stores.keys.existing_key("subject")) == key


def test_a_full_database_is_said_and_comes_back(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'small.sqlite'}", MasterKeys.from_file(tmp_path / "master.keys"))
    database.migrate()

    def limit(pages: int) -> None:
        for connection in [database.engine.raw_connection() for _ in range(4)]:
            connection.driver_connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[union-attr]
            connection.close()

    limit(1)
    with pytest.raises(Unavailable) as full:
        database.transact(NOW, lambda stores: stores.facts.set("large", "x" * 100_000))
    assert full.value.disk_is_full
    limit(1_000_000)
    database.transact(NOW, lambda stores: stores.facts.set("large", "x" * 100_000))
    database.close()


def test_two_processes_at_one_alert(postgres_url: str, tmp_path: Path) -> None:
    keys = MasterKeys.from_file(tmp_path / "master.keys")
    here, there = Database(postgres_url, keys), Database(postgres_url, keys)
    here.migrate()
    patient = here.transact(NOW, add_patient).id
    alert = here.transact(
        NOW, lambda stores: stores.alerts.add(patient_id=patient, rule="R0", level="red", next_step_at=NOW)
    ).id
    tries = []

    def rise_while_the_other_writes(stores: Stores) -> Alert:
        row = stores.alerts.get(alert)
        tries.append(row.round)
        if len(tries) == 1:
            there.transact(NOW, page)
        row.round += 1
        return row

    def page(stores: Stores) -> None:
        stores.alerts.get(alert).round += 10

    assert here.transact(NOW, rise_while_the_other_writes).round == 11  # neither is lost
    assert tries == [0, 10]

    def raise_another(stores: Stores) -> None:
        stores.alerts.add(patient_id=patient, rule="R0", level="red", next_step_at=NOW)

    with pytest.raises(Conflict):  # one open alert of a patient and rule, whoever raises it
        here.transact(NOW, raise_another)
    here.close()
    there.close()
