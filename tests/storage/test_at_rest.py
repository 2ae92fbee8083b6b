"""Nothing that a thief of the disk could read: no text, no answer, no name, no chat number."""

import sqlite3
from pathlib import Path

import pytest

from storage.crypto import MasterKeys
from storage.engine import Database
from storage.errors import WrongKey
from tests.support.clinic import SimulatedClinic, opened

SECRET_NOTE = "my sister Ottilie drove me home"


async def a_day(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3")
    await clinic.ana.says(SECRET_NOTE)
    await clinic.ana.says("I've got the pills ready")


def all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("afterglow.sqlite*"))


async def test_the_files_hold_no_plain_text(tmp_path: Path) -> None:
    async with opened(tmp_path) as clinic:
        await a_day(clinic)
        everything = all_bytes(tmp_path)  # while it runs: the write-ahead log counts too
    for secret in ("Ottilie", "pills", "Nurse", "Patient A", '"mood"', "callback_query", "0.5 mg"):
        assert secret.encode() not in everything, secret
    connection = sqlite3.connect(tmp_path / "afterglow.sqlite")
    tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
    assert len(tables) > 15
    for table in tables:
        for row in connection.execute(f'select * from "{table}"'):
            assert not {2001, 1002, -100500} & {value for value in row if isinstance(value, int)}, table
    connection.close()


async def test_another_key_opens_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as clinic:
        await a_day(clinic)
        now = clinic.clock.now()
    name, _ = (tmp_path / "keys" / "master.keys").read_text(encoding="ascii").split()
    other = tmp_path / "other.keys"
    other.write_text(f"{name} {'00' * 32}\n", encoding="ascii")
    database = Database(f"sqlite:///{tmp_path / 'afterglow.sqlite'}", MasterKeys.from_file(other))
    with pytest.raises(WrongKey, match="does not open"), database.unit_of_work(now) as stores:
        stores.notes.text(stores.notes.of(stores.patients.all()[0].id)[0])
    database.close()
