"""A command beside a running bot: it leaves the log of the file to the bot, and its schema alone; trails are read in
pieces."""

import sqlite3
import tracemalloc
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import app
from bot.settings import Clinic, Settings
from bot.simulator.clock import SimulatorClock
from storage.crypto import MasterKeys
from storage.engine import Database, RunningLock, known_schemas
from storage.errors import AlreadyRunning

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PAGES = 1500  # a database that checkpoints by itself does so every 1000


def fill(database: Database) -> None:
    with database.unit_of_work(NOW) as stores:
        for number in range(PAGES):
            stores.facts.set(f"fact {number}", "x" * 4000)


@pytest.mark.parametrize("checkpoints", [True, False])
def test_only_whoever_is_alone_moves_the_log_into_the_file(tmp_path: Path, checkpoints: bool) -> None:
    masters = MasterKeys.from_file(tmp_path / "keys")
    bot = Database(f"sqlite:///{tmp_path / 'a.sqlite'}", masters)
    bot.migrate()
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    command = Database(f"sqlite:///{tmp_path / 'a.sqlite'}", masters, checkpoints=checkpoints)
    before = (tmp_path / "a.sqlite").stat().st_size
    fill(command)
    command.close()
    assert ((tmp_path / "a.sqlite").stat().st_size > before) == checkpoints
    with bot.unit_of_work(NOW) as stores:
        assert stores.facts.read("fact 7") is not None
    bot.close()


def test_nothing_is_migrated_below_a_running_bot(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)
    older = known_schemas()[1]
    database = Database(settings.database, MasterKeys.from_file(settings.key_file))
    database.migrate(older)
    assert database.file is not None
    with RunningLock(database.file), pytest.raises(AlreadyRunning):
        app.open_desk(settings, Clinic(), SimulatorClock(), beside=True)
    assert database.schema_version() == older
    app.open_desk(settings, Clinic(), SimulatorClock(), beside=True).close()
    assert database.schema_version() == known_schemas()[0]
    database.close()


def test_a_long_trail_is_proved_without_holding_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite'}", MasterKeys.from_file(tmp_path / "keys"))
    database.migrate()
    for _ in range(10):
        with database.unit_of_work(NOW) as stores:
            for number in range(1000):
                stores.audit.record("patient.viewed", actor=None, detail=f"entry {number}")
    with database.unit_of_work(NOW) as stores:
        tracemalloc.start()
        assert stores.audit.first_broken() is None
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 4_000_000  # all of it together takes more than twice that
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit SET detail = 'entry 1' WHERE position = 5001")
    with database.unit_of_work(NOW) as stores:
        assert stores.audit.first_broken() == 5001
    database.close()
