"""The stream of pages: a dead disk loses the last minute, not the day."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import app
from bot.desk import Desk
from bot.services.work import Work
from bot.settings import Clinic, Settings
from bot.simulator.clock import SimulatorClock
from bot.upkeep import Upkeep, put_in_place
from storage.backup import stream
from storage.backup.errors import BackupFailed, ForeignBackup, NotABackup, OnlySqlite
from storage.backup.restore import restoring
from storage.backup.stream import Stream, Streamed
from storage.crypto import MasterKeys
from storage.engine import Database

NOW = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = app.open_desk(Settings(_env_file=None, data_dir=tmp_path), Clinic(), SimulatorClock())
    yield opened
    opened.close()


@pytest.fixture
def shipping(desk: Desk, tmp_path: Path) -> Iterator[Stream]:
    shipping = Stream(tmp_path / "afterglow.sqlite", tmp_path / "elsewhere", desk.database.masters)
    yield shipping
    shipping.close()


def note(desk: Desk, minute: int) -> None:
    desk.act_now(lambda work: work.stores.facts.set(f"minute.{minute}", str(minute)))


def minutes_in(desk: Desk, folder: Path) -> list[int]:
    """What a restored stream knows of."""
    source = Streamed(folder / "elsewhere", desk.database.masters)
    restored = Database(f"sqlite:///{folder / 'restored.sqlite'}", desk.database.masters)
    put_in_place(restored, source, desk.knowledge, NOW)
    with restored.unit_of_work(NOW) as stores:
        found = [minute for minute in range(20) if stores.facts.read(f"minute.{minute}")]
    restored.close()
    return found


def test_each_minute_is_there(desk: Desk, shipping: Stream, tmp_path: Path) -> None:
    sizes = []
    for minute in range(5):
        note(desk, minute)
        shipped = shipping.ship(NOW + minute * MINUTE)
        assert shipped is not None
        sizes.append(shipped.changed)
        assert minutes_in(desk, tmp_path) == list(range(minute + 1))
    assert max(sizes[1:]) < sizes[0] / 4  # only what changed
    assert shipping.ship(NOW + 9 * MINUTE) is None  # nothing new: nothing is read or written
    assert Streamed(tmp_path / "elsewhere", desk.database.masters).moment == NOW + 4 * MINUTE


def test_a_damaged_segment_ends_the_stream_before_it(desk: Desk, shipping: Stream, tmp_path: Path) -> None:
    for minute in range(5):
        note(desk, minute)
        shipping.ship(NOW + minute * MINUTE)
    segment = next((tmp_path / "elsewhere").glob("*/000004.zip"))
    segment.write_bytes(segment.read_bytes()[:-200])
    assert minutes_in(desk, tmp_path) == [0, 1, 2]
    next((tmp_path / "elsewhere").glob("*/000001.zip")).unlink()
    with pytest.raises(NotABackup, match="whole beginning"):
        Streamed(tmp_path / "elsewhere", desk.database.masters)


def test_a_new_generation_each_day_and_at_each_start(desk: Desk, shipping: Stream, tmp_path: Path) -> None:
    for day in range(4):
        note(desk, day)
        shipping.ship(NOW + day * stream.GENERATION)
    assert len(list((tmp_path / "elsewhere").iterdir())) == stream.KEPT_GENERATIONS
    assert minutes_in(desk, tmp_path) == [0, 1, 2, 3]
    note(desk, 5)
    restarted = Stream(tmp_path / "afterglow.sqlite", tmp_path / "elsewhere", desk.database.masters)
    restarted.ship(NOW + 4 * stream.GENERATION)
    restarted.close()
    assert minutes_in(desk, tmp_path) == [0, 1, 2, 3, 5]


def test_another_key_and_another_engine(desk: Desk, shipping: Stream, tmp_path: Path, postgres_url: str) -> None:
    shipping.ship(NOW)
    with pytest.raises(ForeignBackup):
        Streamed(tmp_path / "elsewhere", MasterKeys.from_file(tmp_path / "other.keys"))
    source = Streamed(tmp_path / "elsewhere", desk.database.masters)
    postgres = Database(postgres_url, desk.database.masters)
    with pytest.raises(OnlySqlite, match="Restore it to SQLite first"), restoring(postgres, source, NOW):
        pass
    postgres.close()


def open_incidents(work: Work) -> list[tuple[str, str]]:
    return [(incident.kind, incident.detail) for incident in work.stores.incidents.all_open()]


async def test_the_other_disk_goes_away_and_comes_back(desk: Desk, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, backup_stream_dir=tmp_path / "elsewhere")
    upkeep = Upkeep.of(desk, settings)
    (tmp_path / "elsewhere").touch()
    await upkeep.ship()
    assert desk.act_now(open_incidents) == [("backup", "stream")]
    (tmp_path / "elsewhere").unlink()
    note(desk, 7)
    await upkeep.ship()
    assert desk.act_now(open_incidents) == []
    assert minutes_in(desk, tmp_path) == [7]
    with pytest.raises(BackupFailed):
        Stream(tmp_path / "afterglow.sqlite", Path("/proc/nowhere"), desk.database.masters).ship(NOW)
