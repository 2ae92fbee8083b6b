"""Each of the doctor's checks can say that something is wrong, and says what to do about it."""

import shutil
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from bot import app, doctor
from bot.clinical.crisis import CrisisLines
from bot.delivery.auditor import ROOM
from bot.doctor import Check, Verdict
from bot.services import incidents, keeping
from bot.services.incidents import IncidentKind
from bot.services.work import Work
from storage.backup.restore import CANDIDATE
from tests.support.clinic import SimulatedClinic

LINES = CrisisLines.load()


class Usage(NamedTuple):
    free: int


def says(check: Check, verdict: Verdict, words: str) -> bool:
    return check.verdict == verdict and words in check.says


def test_an_sqlite_with_the_checkpoint_bug() -> None:
    assert says(doctor.sqlite_itself((3, 51, 2)), Verdict.LOOK, "only the bot does")
    assert doctor.sqlite_itself((3, 51, 3)).verdict == Verdict.GOOD


def test_crisis_lines_that_nobody_has_called_for_a_year() -> None:
    checked = LINES.for_country("US").checked_on
    assert list(doctor.checked_lines(LINES, checked)) == []
    (check,) = doctor.checked_lines(LINES, checked + timedelta(days=366))
    assert says(check, Verdict.LOOK, "US")


@pytest.mark.parametrize(("free", "verdict"), [(ROOM - 1, Verdict.BAD), (ROOM, Verdict.LOOK), (10**12, Verdict.GOOD)])
def test_a_disk_that_fills_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, verdict: Verdict) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free))
    assert doctor.disk("disk", tmp_path / "not" / "there" / "yet").verdict == verdict


async def test_what_the_database_tells(clinic: SimulatedClinic) -> None:
    ask = clinic.desk.act_now
    file = clinic.desk.database.file
    assert file is not None

    assert ask(doctor.last_backup).verdict == Verdict.GOOD  # nobody to lose yet
    await clinic.enrols(clinic.ana)
    assert says(ask(doctor.last_backup), Verdict.LOOK, "afterglow backup")
    ask(keeping.note_backup, "by hand")
    assert ask(doctor.last_backup).verdict == Verdict.GOOD

    assert says(ask(doctor.second_road), Verdict.LOOK, "no channel beside Telegram")
    assert says(ask(doctor.second_road), Verdict.LOOK, "OPERATOR_CHANNELS")

    assert ask(doctor.open_incidents).verdict == Verdict.GOOD
    ask(incidents.open, IncidentKind.DISK, "room")
    assert says(ask(doctor.open_incidents), Verdict.LOOK, "since 2")

    key = partial(doctor.master_key, file=clinic.settings.key_file)
    assert ask(key).verdict == Verdict.GOOD
    clinic.settings.key_file.chmod(0o644)
    assert says(ask(key), Verdict.BAD, "chmod 600")
    clinic.settings.key_file.chmod(0o600)

    assert doctor.left_by_restores(clinic.desk.database).verdict == Verdict.GOOD
    file.with_name("afterglow-replaced-20260302T120000Z.sqlite").touch()
    file.with_name(file.name + CANDIDATE).touch()
    check = doctor.left_by_restores(clinic.desk.database)
    assert says(check, Verdict.LOOK, "afterglow-replaced-20260302T120000Z.sqlite")
    assert says(check, Verdict.LOOK, "of a restore that did not end")


def later(use_case: "partial[Check]", days: int, work: Work) -> Check:
    return use_case(Work(work.stores, work.now + timedelta(days=days), work.knowledge))


async def test_what_grows_old(clinic: SimulatedClinic) -> None:
    ask = clinic.desk.act_now
    ask(keeping.note_backup, "by hand")
    assert says(ask(partial(later, partial(doctor.last_backup), 3)), Verdict.BAD, "3 days")
    key = partial(doctor.master_key, file=clinic.settings.key_file)
    assert ask(partial(later, key, 390)).verdict == Verdict.GOOD
    assert says(ask(partial(later, key, 401)), Verdict.LOOK, "keys rotate")
    assert app.MASTER in ask(lambda work: work.stores.facts.starting_with(app.MASTER))
