"""A new master key wraps every patient key anew; whenever that is cut off, everything still opens."""

import os
import signal
import subprocess  # nosec B404
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from bot import app
from bot.services import keeping
from bot.services.work import Work
from bot.settings import Clinic, Settings
from bot.simulator.clock import SimulatorClock
from storage.backup.restore import Archived, open_pair, restoring
from storage.backup.snapshot import reading
from storage.crypto import MasterKeys, add_master
from storage.engine import Database
from storage.stores.inbox import Received
from storage.stores.keys import inbox_subject
from storage.verify import prove
from tests.commands.test_cli import ROOT, afterglow
from tests.support.clinic import opened

FIRST = Path(__file__).parent / "first_schema"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def filled(folder: Path) -> Database:
    """A clinic's first week, with a key file of its own."""
    (folder / "master.keys").write_text((FIRST / "master.keys").read_text(encoding="ascii"), encoding="ascii")
    masters = MasterKeys.from_file(folder / "master.keys")
    database = Database(f"sqlite:///{folder / 'afterglow.sqlite'}", masters)
    pair = open_pair(FIRST / "first.data.zip", FIRST / "first.keys.zip", masters, named=False)
    with restoring(database, Archived(pair, lambda rows: None), NOW):
        pass
    return database


def older(database: Database) -> int:
    with database.unit_of_work(NOW) as stores:
        return stores.keys.count_under_older()


def settings_of(folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": f"sqlite:///{folder / 'afterglow.sqlite'}", "MASTER_KEY_FILE": str(folder / "master.keys"),
    }  # fmt: skip


def not_whole(folder: Path) -> list[str]:
    masters = MasterKeys.from_file(folder / "master.keys")
    database = Database(f"sqlite:///{folder / 'afterglow.sqlite'}", masters)
    with reading(database) as connection:
        said = [proof.says for proof in prove(connection, masters, NOW) if not proof.whole]
    database.close()
    return said


def test_a_new_master_key(tmp_path: Path) -> None:
    filled(tmp_path).close()
    old = (tmp_path / "master.keys").read_text(encoding="ascii")
    ran = afterglow(tmp_path, "keys", "rotate", **settings_of(tmp_path))
    assert ran.returncode == 0, ran.stderr
    lines = (tmp_path / "master.keys").read_text(encoding="ascii").splitlines()
    assert len(lines) == 2 and lines[1] + "\n" == old
    assert (tmp_path / "master.keys").stat().st_mode & 0o777 == 0o600
    assert f"wrapped by {lines[0].split()[0]}" in ran.stdout
    assert not_whole(tmp_path) == []
    (tmp_path / "master.keys").write_text(lines[0] + "\n", encoding="ascii")
    assert not_whole(tmp_path) == []  # nothing needs the old one any more


def test_killed_at_any_moment_everything_opens_and_the_next_run_goes_on(tmp_path: Path) -> None:
    seed = 20_261_124
    random = Random(seed)
    database = filled(tmp_path)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "bot", "keys", "rotate"]
    began = time.monotonic()
    afterglow(tmp_path, "keys", "rotate", **settings_of(tmp_path))
    whole = time.monotonic() - began
    for _ in range(5):
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment | settings_of(tmp_path), stdout=subprocess.DEVNULL
        )  # fmt: skip
        time.sleep(random.uniform(0.6, 1.0) * whole)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not_whole(tmp_path) == [], seed
    database.close()


def test_a_half_done_rotation_is_gone_on_with(tmp_path: Path) -> None:
    database = filled(tmp_path)
    add_master(tmp_path / "master.keys")
    database.masters.read_again()
    with database.unit_of_work(NOW) as stores:
        assert stores.keys.rewrap(limit=2) == 2
    left = older(database)
    assert left > 0
    ran = afterglow(tmp_path, "keys", "rotate", **settings_of(tmp_path))
    assert f"{left} keys" in ran.stdout and "an earlier run began" in ran.stdout
    assert older(database) == 0
    assert len((tmp_path / "master.keys").read_text(encoding="ascii").splitlines()) == 2
    database.close()


async def test_the_bot_goes_on_while_keys_are_wrapped_anew(tmp_path: Path) -> None:
    async with opened(tmp_path) as clinic:
        await clinic.enrols(clinic.ana)
        add_master(tmp_path / "keys" / "master.keys")
        other = Database(f"sqlite:///{tmp_path / 'afterglow.sqlite'}", MasterKeys.from_file(clinic.settings.key_file))
        with other.unit_of_work(clinic.clock.now()) as stores:
            assert stores.keys.rewrap() > 3
        other.close()
        await clinic.infuses()
        await clinic.next_prompt(clinic.ana)
        await clinic.ana.taps("3")
        await clinic.ana.says("and on it goes")
        assert "and on it goes" in clinic.desk.act_now(last_note)


def last_note(work: Work) -> str:
    return work.stores.notes.text(work.stores.notes.of(work.stores.patients.all()[0].id)[-1])


@pytest.mark.parametrize("dead", [False, True])
def test_raw_updates_are_gone_after_two_weeks_but_those_nobody_could_handle(tmp_path: Path, dead: bool) -> None:
    clock = SimulatorClock()
    desk = app.open_desk(Settings(_env_file=None, data_dir=tmp_path), Clinic(), clock)
    day = clock.now().date()

    def come_in(work: Work) -> None:
        work.stores.inbox.take_in([Received(1, "a", "one"), Received(2, "b", "two")])
        for row in work.stores.inbox.claim_untriaged("me"):
            if row.update_id == 1 or not dead:
                work.stores.inbox.mark_done(row.position, "me")
            else:
                work.stores.inbox.mark_dead(row.position, "me")

    desk.act_now(come_in)
    clock.turn_to(clock.now() + timedelta(days=15))
    desk.act_now(keeping.forget_old)
    with desk.database.unit_of_work(clock.now()) as stores:
        bodies = [stores.inbox.get(position).sealed_body for position in (1, 2)]
        assert bodies[0] == b""
        assert (bodies[1] == b"") is not dead
        if dead:
            assert stores.inbox.body(stores.inbox.get(2)) == "two"
        else:
            assert stores.keys.forgotten(inbox_subject(day))
        assert not stores.inbox.take_in([Received(1, "a", "one")])  # still known: it never counts twice
    desk.close()
