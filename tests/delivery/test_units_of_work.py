"""Units of work that share a commit, on both engines: one that fails undoes itself, and nothing of it stays."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.desk import Job, Queue
from storage import engine
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


def test_a_commit_that_takes_long_ends_early_and_leaves_the_rest(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LONGEST_COMMIT", 0.0)
    assert database.together([(NOW, note("first")), (NOW, note("second"))]) == ["first"]
    with database.unit_of_work(NOW) as stores:
        assert stores.facts.read("first") == "noted"
        assert stores.facts.read("second") is None


async def test_danger_goes_before_what_was_left_of_a_long_commit(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'small.sqlite'}", MasterKeys.from_file(tmp_path / "master.keys"))
    database.migrate()
    queue = Queue(database, SystemClock(), 1, lambda: None)
    loop, order = asyncio.get_running_loop(), list[str]()
    begun = threading.Event()

    def act(name: str, seconds: float) -> Callable[[Stores], str]:
        def act(stores: Stores) -> str:
            begun.set()
            time.sleep(seconds)
            order.append(name)
            return note(name)(stores)

        return act

    def put(name: str, seconds: float, *, gives_way: bool) -> asyncio.Future[str]:
        done: asyncio.Future[str] = loop.create_future()
        queue.put(Job(act(name, seconds), done, loop, wakes=False, at=None, gives_way=gives_way))
        return done

    before = put("before", 0.05, gives_way=True)  # the others line up meanwhile
    await asyncio.to_thread(begun.wait)
    answers = [put(f"answer {number}", 0.06, gives_way=True) for number in range(6)]
    await before
    await asyncio.sleep(0.02)
    danger = put("danger", 0.0, gives_way=False)
    assert await asyncio.gather(danger, *answers) == ["danger", *(f"answer {number}" for number in range(6))]
    assert order.index("danger") < order.index("answer 3")
    assert sorted(order) == sorted(["before", "danger", *(f"answer {number}" for number in range(6))])
    queue.close()
    database.close()
