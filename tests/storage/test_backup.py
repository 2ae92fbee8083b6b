"""A backup is whole or it is not there; keys stand apart; and nothing in it can be read without the master key."""

import json
import resource
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import app
from bot.desk import Desk
from bot.services import enrolment
from bot.services.work import Work
from bot.settings import Clinic, Settings
from bot.simulator.clock import SimulatorClock
from bot.upkeep import Upkeep, shelf_of
from storage.backup import shelf
from storage.backup.archive import Archive
from storage.backup.errors import BackupFailed, ForeignBackup, NotABackup
from storage.backup.shelf import Shelf
from storage.crypto import MasterKeys
from storage.engine import Database
from storage.errors import SchemaTooNew
from storage.tables.people import Role
from tests.support.clinic import SimulatedClinic, opened

NOW = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)


async def a_day(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3")
    await clinic.ana.says("my sister Ottilie drove me home")
    await clinic.ana.says("I've got the pills ready")


def a_shelf(folder: Path) -> Shelf:
    return Shelf(folder / "data", folder / "keys", keep_data=timedelta(days=90), keep_keys=timedelta(days=14))


async def test_a_backup_while_the_bot_runs(tmp_path: Path, database_url: str) -> None:
    async with opened(tmp_path, url=database_url) as clinic:
        await a_day(clinic)
        masters = clinic.desk.database.masters
        made = shelf.make(clinic.desk.database, masters, a_shelf(tmp_path), clinic.clock.now())
        await clinic.ana.says("a note after the backup")
    archive, keys = Archive(made.data, masters), Archive(made.keys, masters)
    rows = {part.name: part.rows for part in archive.manifest.tables}
    assert rows["notes"] == 2 and rows["responses"] == 1 and rows["alerts"] == 1
    assert "keys" not in rows and [part.name for part in keys.manifest.tables] == ["keys"]
    counted: list[int] = []
    archive.prove(counted.append)
    keys.prove(counted.append)
    assert sum(counted) == made.rows == sum(rows.values()) + keys.manifest.rows
    plain = b"".join(
        zipfile.ZipFile(made.data).read(name) + name.encode() for name in zipfile.ZipFile(made.data).namelist()
    )
    for secret in ("Ottilie", "pills", "Nurse", "Patient A", "2001"):
        assert f'"{secret}'.encode() not in plain and f" {secret} ".encode() not in plain, secret
    assert (tmp_path / "keys" / "master.keys").read_text(encoding="ascii").split()[1].encode() not in plain
    assert {path.stat().st_mode & 0o777 for path in (made.data, made.keys)} == {0o600}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Desk]:
    """A database with two invitations in it."""
    desk = app.open_desk(Settings(_env_file=None, data_dir=tmp_path), Clinic(), SimulatorClock())
    desk.act_now(lambda work: [enrolment.invite_staff(work, Role.NURSE) for _ in range(2)])
    yield desk
    desk.close()


def made_by(desk: Desk, folder: Path, at: datetime = NOW, label: str = "") -> shelf.Backup:
    return shelf.make(desk.database, desk.database.masters, a_shelf(folder), at, label=label)


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def flipped(data: bytes) -> bytes:
    place = data.index(b"facts.jsonl") + 60
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


@pytest.mark.parametrize("harm", [cut, flipped, lambda data: b"", lambda data: b"PK" + data[:50]])
def test_a_damaged_archive_is_refused_in_one_sentence(
    small: Desk, tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    made = made_by(small, tmp_path)
    made.data.write_bytes(harm(made.data.read_bytes()))
    with pytest.raises(NotABackup, match="not a whole backup"):
        Archive(made.data, small.database.masters).prove(lambda rows: None)


def test_an_edited_archive_is_refused(small: Desk, tmp_path: Path) -> None:
    made = made_by(small, tmp_path)
    inside = zipfile.ZipFile(made.data)
    members = {name: inside.read(name) for name in inside.namelist()}
    manifest = json.loads(members["manifest.json"])
    manifest["made_at"] = "2027-01-01T00:00:00+00:00"
    for changed in ({"manifest.json": json.dumps(manifest).encode()}, {"invites.jsonl": b"[]\n"}):
        with zipfile.ZipFile(made.data, "w") as file:
            for name, data in (members | changed).items():
                file.writestr(name, data)
        with pytest.raises(NotABackup, match=r"was changed|not those that were written|damaged"):
            Archive(made.data, small.database.masters).prove(lambda rows: None)


def test_an_archive_of_somebody_else(small: Desk, tmp_path: Path) -> None:
    made = made_by(small, tmp_path)
    with pytest.raises(ForeignBackup, match="Put the right key file in place"):
        Archive(made.data, MasterKeys.from_file(tmp_path / "other.keys"))


@contextmanager
def no_file_longer_than(limit: int) -> Iterator[None]:
    """The kernel's own refusal to write on, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_no_half_backup(small: Desk, tmp_path: Path) -> None:
    old = made_by(small, tmp_path)
    with no_file_longer_than(300), pytest.raises(BackupFailed, match="Nothing half was left"):
        made_by(small, tmp_path, NOW + timedelta(days=1))
    assert [path for folder in ("data", "keys") for path in (tmp_path / folder).glob("afterglow-*")] == [
        old.data,
        old.keys,
    ]


def test_the_shelf_keeps_keys_for_two_weeks_and_data_for_three_months(small: Desk, tmp_path: Path) -> None:
    place = a_shelf(tmp_path)
    for days in range(0, 100, 5):
        made_by(small, tmp_path, NOW + timedelta(days=days))
    before = made_by(small, tmp_path, NOW + timedelta(days=1), label="before-0002")
    (tmp_path / "data" / "afterglow-20260302T033000Z.data.zip.partial").touch()  # a backup that was killed
    place.clear(NOW + timedelta(days=100))
    data, keys = sorted(place.data.glob("*.zip")), sorted(place.keys.glob("*.zip"))
    assert before.data in data and len(data) == 1 + 18
    assert len(keys) == 2 and place.newest_keys() == keys[-1]
    assert list(place.data.glob("*.partial")) == []
    place.clear(NOW + timedelta(days=1000))
    assert len(list(place.keys.glob("*.zip"))) == 1  # the last copy is never removed


def incidents_open(work: Work) -> list[str]:
    return [incident.kind for incident in work.stores.incidents.all_open()]


async def test_a_night_without_room_is_an_incident_until_a_backup_is_made(small: Desk, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, backup_dir=tmp_path / "not-a-folder")
    upkeep = Upkeep(small, shelf_of(settings, Clinic()))
    (tmp_path / "not-a-folder").touch()
    await upkeep.nightly()
    assert small.act_now(incidents_open) == ["backup"]
    (tmp_path / "not-a-folder").unlink()
    await upkeep.nightly()
    assert small.act_now(incidents_open) == []
    assert len(list((tmp_path / "not-a-folder").glob("*.data.zip"))) == 1


def at_schema(url: str, folder: Path, revision: str) -> None:
    """An empty database as the program of that revision left it."""
    database = Database(url, MasterKeys.from_file(Settings(_env_file=None, data_dir=folder).key_file))
    database.migrate(revision)
    database.close()


def test_what_an_older_program_wrote_is_backed_up_before_it_is_migrated(tmp_path: Path, database_url: str) -> None:
    at_schema(database_url, tmp_path, "0001")
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=database_url)
    for _ in range(2):  # the second start finds nothing to migrate
        desk = app.open_desk(settings, Clinic(), SimulatorClock())
        desk.close()
    made = list((tmp_path / "backups").glob("*.data.zip"))
    assert len(made) == 1 and "-before-" in made[0].name
    assert Archive(made[0], desk.database.masters).manifest.schema == "0001"


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path, database_url: str) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=database_url)
    desk = app.open_desk(settings, Clinic(), SimulatorClock())
    with desk.database.engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
        connection.exec_driver_sql("update facts set value = '9998' where name = 'schema.runs_from'")
    desk.close()
    with pytest.raises(SchemaTooNew, match="install the newer Afterglow"):
        app.open_desk(settings, Clinic(), SimulatorClock())
