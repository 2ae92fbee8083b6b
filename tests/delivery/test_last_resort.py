"""When nothing can be stored: the reserve on the disk is freed, and failing that whoever writes hears where help is."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError

from bot.delivery import receiver
from bot.services.work import Work
from storage.stores.inbox import Inbox
from storage.tables.people import Role
from tests.support.clinic import PHONE, SimulatedClinic

FULL = "database or disk is full"  # SQLite's own words
NOT_STORED = "what you wrote has not reached your care team yet"


@contextmanager
def inbox_refuses(times: int, cause: str) -> Iterator[list[str]]:
    """The next batches cannot be stored; what was tried is listed."""
    tried: list[str] = []
    sound = Inbox.take_in

    def refuse(self: Inbox, *given: object, **named: object) -> object:
        if len(tried) < times:
            tried.append(cause)
            raise OperationalError("INSERT", {}, sqlite3.OperationalError(cause))
        return sound(self, *given, **named)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Inbox, "take_in", refuse)
        yield tried


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    for _ in range(int(seconds / 0.05)):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


def notes(work: Work) -> list[str]:
    return [work.stores.notes.text(note) for note in work.stores.notes.of(work.stores.patients.all()[0].id)]


async def test_a_full_disk_gives_up_its_reserve_and_the_administrator_hears_of_it(clinic: SimulatedClinic) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await clinic.enrols(clinic.ana)
    ballast = clinic.folder / "ballast"
    assert ballast.stat().st_size > 1_000_000
    with inbox_refuses(1, FULL) as tried:
        await clinic.people.act(clinic.ana.number, "text", text="Slept badly.")
        await until(lambda: clinic.desk.act_now(notes) == ["Slept badly."])
    assert tried == [FULL]
    assert not ballast.exists()
    await clinic.afterglow.settle()
    assert NOT_STORED not in await clinic.ana.all_texts()
    assert "disk" in (await clinic.admin.last()).lower()


async def test_whoever_writes_while_nothing_can_be_stored_hears_where_help_is_and_nothing_is_lost(
    clinic: SimulatedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "NOTE_SECONDS", 0.0)  # who is to be told is noted at every round, not every minute
    await clinic.invites(clinic.admin, Role.ADMIN)
    await clinic.enrols(clinic.ana)
    with inbox_refuses(2, "disk I/O error") as tried:  # the reserve would not help here
        await clinic.people.act(clinic.ana.number, "text", text="I want to die")
        await until(lambda: clinic.desk.act_now(notes) == ["I want to die"])  # Telegram kept it and brought it again
    assert len(tried) == 2
    assert (clinic.folder / "ballast").exists()
    await clinic.afterglow.settle()
    said = await clinic.ana.all_texts()
    assert said.count(NOT_STORED) == 1  # not at every try
    assert PHONE in said.partition(NOT_STORED)[2]
    assert "nothing is stored and nobody is alerted" in await clinic.admin.all_texts()
    assert "P-0001" in await clinic.nurse.last()  # and the danger in it was seen
