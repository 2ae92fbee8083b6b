"""Restoring: whatever happens on the way, there is a whole database in place, and nothing promised is forgotten."""

import os
import signal
import subprocess  # nosec B404
import sys
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from bot import app
from bot.delivery.pace import UNLIMITED
from bot.services.work import Work
from bot.settings import Clinic, Settings
from bot.simulator.client import PeopleClient
from bot.simulator.clock import SimulatorClock
from bot.simulator.server import TOKEN, Simulator
from bot.upkeep import put_in_place
from storage.backup import shelf
from storage.backup.errors import ForeignBackup, NewerBackup, NoKeys, NotABackup
from storage.backup.restore import (
    CANDIDATE,
    Archived,
    Pair,
    aside_of,
    building,
    clear_aside,
    open_pair,
    put_aside,
    restoring,
)
from storage.backup.shelf import Shelf
from storage.backup.snapshot import reading
from storage.crypto import MasterKeys
from storage.engine import Database, RunningLock
from storage.errors import AlreadyRunning
from storage.tables.people import Role
from storage.verify import prove
from tests.commands.test_cli import ROOT
from tests.support.clinic import PHONE, SimulatedClinic, next_monday_morning

FIRST = Path(__file__).parent / "first_schema"  # a clinic's first week, as the first schema kept it
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def a_shelf(folder: Path) -> Shelf:
    return Shelf(folder / "data", folder / "keys", keep_data=timedelta(days=90), keep_keys=timedelta(days=14))


def first_pair(masters: MasterKeys) -> Pair:
    return open_pair(FIRST / "first.data.zip", FIRST / "first.keys.zip", masters, named=False)


@pytest.fixture
def masters() -> MasterKeys:
    return MasterKeys.from_file(FIRST / "master.keys")


@pytest.fixture
def database(database_url: str, masters: MasterKeys) -> Iterator[Database]:
    """On each engine, a database restored from the first schema's archives."""
    opened = Database(database_url, masters)
    with restoring(opened, Archived(first_pair(masters), lambda rows: None), NOW):
        pass
    yield opened
    opened.close()


def not_whole(database: Database) -> list[str]:
    with reading(database) as connection:
        return [f"{proof.name}: {proof.says}" for proof in prove(connection, database.masters, NOW) if not proof.whole]


def rows_in(archive: Path) -> dict[str, list[bytes]]:
    inside = zipfile.ZipFile(archive)
    return {name: sorted(inside.read(name).splitlines()) for name in inside.namelist() if name.endswith(".jsonl")}


def test_the_first_schema_comes_back_on_both_engines(database: Database, tmp_path: Path) -> None:
    assert not_whole(database) == []
    database.require_current_schema()
    with database.unit_of_work(NOW) as stores:
        patient = stores.patients.all()[0]
        assert stores.notes.text(stores.notes.of(patient.id)[0]) == "my sister Ottilie drove me home"
        assert [stores.responses.value(response) for response in stores.responses.of(patient.id)] == [3, 3, 3]
        stores.audit.record("test.goes_on", actor=None)  # numbered rows go on after the last one
    assert not_whole(database) == []


def test_from_one_engine_to_the_other_and_back(
    database: Database, tmp_path: Path, postgres_url: str, masters: MasterKeys
) -> None:
    made = shelf.make(database, masters, a_shelf(tmp_path), NOW)
    other_url = postgres_url if database.is_sqlite else f"sqlite:///{tmp_path / 'other.sqlite'}"
    if database.is_sqlite:
        database.close()  # on PostgreSQL the address is the same one for both fixtures
    other = Database(other_url, masters)
    with restoring(other, Archived(open_pair(made.data, made.keys, masters, named=False), lambda rows: None), NOW):
        pass
    again = shelf.make(other, masters, a_shelf(tmp_path / "other"), NOW)
    assert rows_in(again.data) == rows_in(made.data)
    assert rows_in(again.keys) == rows_in(made.keys)
    assert not_whole(other) == []
    other.close()


def test_what_is_replaced_is_kept(database: Database, tmp_path: Path, masters: MasterKeys) -> None:
    with database.unit_of_work(NOW) as stores:
        stores.facts.set("only.here", "yes")
    database.close()
    with restoring(database, Archived(first_pair(masters), lambda rows: None), NOW):
        pass
    with database.unit_of_work(NOW) as stores:
        assert stores.facts.read("only.here") is None
    if database.is_sqlite:
        kept = Database(f"sqlite:///{tmp_path / 'afterglow-replaced-20260302T120000Z.sqlite'}", masters)
        with kept.unit_of_work(NOW) as stores:
            assert stores.facts.read("only.here") == "yes"
        kept.close()
    else:
        with database.engine.connect() as connection:
            asked = "select value from replaced_20260302t120000z.facts where name = 'only.here'"
            assert connection.exec_driver_sql(asked).scalar() == "yes"


def test_what_was_put_aside_goes_when_it_is_old(database: Database, masters: MasterKeys) -> None:
    database.close()
    with restoring(database, Archived(first_pair(masters), lambda rows: None), NOW):
        pass
    if database.file is not None:
        database.file.with_name(database.file.name + CANDIDATE).touch()
    assert [made_at for _, made_at in put_aside(database)] == [NOW]
    assert clear_aside(database, NOW) == []
    (gone,) = clear_aside(database, NOW + timedelta(seconds=1))
    assert "replaced" in gone and put_aside(database) == []
    with database.unit_of_work(NOW) as stores:  # and what is in place stays
        assert stores.patients.count() > 0
    if database.file is not None:
        assert not database.file.with_name(database.file.name + CANDIDATE).exists()


def test_a_restore_that_fails_changes_nothing(database: Database, tmp_path: Path, masters: MasterKeys) -> None:
    with database.unit_of_work(NOW) as stores:
        stores.facts.set("only.here", "yes")
    database.close()
    archived = Archived(first_pair(masters), lambda rows: None)
    with pytest.raises(ZeroDivisionError), restoring(database, archived, NOW):
        raise ZeroDivisionError
    with database.unit_of_work(NOW) as stores:
        assert stores.facts.read("only.here") == "yes"
    assert list(tmp_path.glob("*.restoring*")) == []


def test_not_while_the_bot_runs(tmp_path: Path, masters: MasterKeys) -> None:
    database = Database(f"sqlite:///{tmp_path / 'afterglow.sqlite'}", masters)
    archived = Archived(first_pair(masters), lambda rows: None)
    with (
        RunningLock(tmp_path / "afterglow.sqlite"),
        pytest.raises(AlreadyRunning),
        restoring(database, archived, NOW),
    ):
        pass


def test_keys_of_another_time_or_clinic(tmp_path: Path, masters: MasterKeys) -> None:
    with pytest.raises(NotABackup, match="mixed up"):
        open_pair(FIRST / "first.keys.zip", FIRST / "first.data.zip", masters, named=True)
    with pytest.raises(ForeignBackup, match="the right key file"):
        first_pair(MasterKeys.from_file(tmp_path / "other.keys"))
    pairs = []
    for name, day in (("one", 1), ("two", 2)):
        desk = app.open_desk(
            Settings(_env_file=None, data_dir=tmp_path / name, master_key_file=FIRST / "master.keys"), Clinic(),
            SimulatorClock(),
        )  # fmt: skip
        made = shelf.make(desk.database, masters, a_shelf(tmp_path / name), NOW + timedelta(days=day))
        pairs.append(made)
        later = shelf.make(desk.database, masters, a_shelf(tmp_path / name), NOW + timedelta(days=day + 1))
        with pytest.raises(NoKeys, match="older than the data"):
            open_pair(later.data, made.keys, masters, named=False)
        open_pair(later.data, made.keys, masters, named=True)  # the operator knows what she does
        desk.close()
    with pytest.raises(NoKeys, match="another database"):
        open_pair(pairs[0].data, pairs[1].keys, masters, named=True)


def test_a_backup_of_a_newer_program(tmp_path: Path, masters: MasterKeys) -> None:
    database = Database(f"sqlite:///{tmp_path / 'afterglow.sqlite'}", masters)
    database.migrate()
    with database.engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    made = shelf.make(database, masters, a_shelf(tmp_path), NOW)
    with pytest.raises(NewerBackup, match="Install the newer Afterglow"):
        open_pair(made.data, made.keys, masters, named=False)
    database.close()


def test_a_sealed_field_that_was_changed_is_found(tmp_path: Path, masters: MasterKeys) -> None:
    archived = Archived(first_pair(masters), lambda rows: None)
    with building(tmp_path / "b.sqlite", masters, archived) as connection:
        connection.exec_driver_sql("update notes set sealed_text = zeroblob(60) where rowid = 1")
        connection.exec_driver_sql("update audit set act = 'nothing' where position = 3")
        connection.exec_driver_sql("delete from inbox where position = 4")
        connection.exec_driver_sql("update alerts set next_step_at = null")
        says = " ".join(proof.says for proof in prove(connection, masters, NOW) if not proof.whole)
    for said in ("1 in notes.text", "entry 3 was changed", "1 updates between", "no next step for"):
        assert said in says


def test_killed_at_any_moment_there_is_a_whole_database(tmp_path: Path, masters: MasterKeys) -> None:
    seed = 20_261_124
    random = Random(seed)
    database = Database(f"sqlite:///{tmp_path / 'afterglow.sqlite'}", masters)
    with restoring(database, Archived(first_pair(masters), lambda rows: None), NOW):
        pass
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'afterglow.sqlite'}", "MASTER_KEY_FILE": str(FIRST / "master.keys"),
    }  # fmt: skip
    archives = [str(FIRST / "first.data.zip"), "--keys", str(FIRST / "first.keys.zip"), "--yes"]
    command = [sys.executable, "-m", "bot", "restore", *archives]
    began = time.monotonic()
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    whole = time.monotonic() - began
    for _ in range(6):
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
        time.sleep(random.uniform(0.6, 1.05) * whole)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not_whole(database) == [], seed
        database.close()
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert not_whole(database) == []
    assert list(tmp_path.glob("*.restoring*")) == []
    database.close()


@asynccontextmanager
async def at_work(
    folder: Path, simulator: Simulator, address: str, people: PeopleClient
) -> AsyncIterator[SimulatedClinic]:
    """The bot in this folder, on a Telegram that goes on when it stops."""
    settings, clock = Settings(_env_file=None, data_dir=folder), simulator.world.clock
    desk = app.open_desk(settings, Clinic(phone=PHONE), clock)
    try:
        async with app.running(
            desk, clock, token=TOKEN, api_url=address, world=app.SIMULATED, poll_seconds=2, pace=UNLIMITED
        ) as running:
            simulator.attach(running)
            await running.settle()
            yield SimulatedClinic(desk, running, people, simulator, clock, folder, settings, address)
    finally:
        desk.close()


def state_of(work: Work) -> tuple[list[str], list[str], list[str]]:
    patient = work.stores.patients.all()[0]
    notes = [work.stores.notes.text(note) for note in work.stores.notes.of(patient.id)]
    alerts = [alert.state.value for alert in work.stores.alerts.of(patient.id)]
    return notes, alerts, [incident.kind for incident in work.stores.incidents.all_open()]


async def test_a_dead_disk(tmp_path: Path) -> None:
    """What came after the backup is named as lost; what Telegram still holds comes; what was promised goes on."""
    clock = SimulatorClock()
    clock.turn_to(next_monday_morning())
    simulator = Simulator(clock, limits=False)
    async with simulator.serve("127.0.0.1", 0) as address, PeopleClient.connect(address) as people:
        async with at_work(tmp_path, simulator, address, people) as clinic:
            await clinic.invites(clinic.admin, Role.ADMIN)
            await clinic.invites(clinic.nurse, Role.NURSE)
            await clinic.enrols(clinic.ana)
            await clinic.infuses()
            await clinic.next_prompt(clinic.ana)
            await clinic.ana.says("before the backup")
            await clinic.ana.says("I've got the pills ready")
            made = shelf.make(clinic.desk.database, clinic.desk.database.masters, a_shelf(tmp_path), clock.now())
            await clinic.ana.says("between backup and crash")
            ana, nurse, admin = clinic.ana.number, clinic.nurse.number, clinic.admin.number
        await people.act(ana, "text", text="while nobody was there")
        (tmp_path / "afterglow.sqlite").write_bytes(b"not a database any more" * 400)
        masters = MasterKeys.from_file(tmp_path / "keys" / "master.keys")
        database = Database(f"sqlite:///{tmp_path / 'afterglow.sqlite'}", masters)
        pair = open_pair(made.data, made.keys, masters, named=False)
        now = clock.now()
        stock = put_in_place(database, Archived(pair, lambda rows: None), app.knowledge(Clinic()), now)
        assert (stock.lost_from, stock.lost_until) == (pair.data.manifest.moment, now)
        assert [(alert.level, alert.state) for alert in stock.alerts] == [("red", "open")]
        assert stock.asked_again == 1
        async with at_work(tmp_path, simulator, address, people) as clinic:
            notes, alerts, incidents = clinic.desk.act_now(state_of)
            assert notes == ["before the backup", "I've got the pills ready", "while nobody was there"]
            assert alerts == ["open"]
            assert incidents == ["restored"]
            assert "restored from a backup" in await clinic.phone(admin).all_texts()
            pages = len(await clinic.phone(nurse).messages())
            latest = (await clinic.phone(ana).messages())[-3:]
            assert any("Start" in str(message["buttons"]) for message in latest)  # the open check-in is asked again
            await clinic.forward(minutes=5)
            assert len(await clinic.phone(nurse).messages()) > pages  # the alert goes on being paged
    assert (tmp_path / Path(aside_of(database, stock.lost_until)).name).stat().st_size > 0
