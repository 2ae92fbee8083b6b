"""A clinic's own instrument from its own folder; what was stored under a version stays readable and unchanged."""

from pathlib import Path
from typing import Any

import pytest

from bot import app
from bot.clinical.instrument import Score
from bot.services import courses
from bot.services.work import Work
from bot.settings import Clinic, Settings, SettingsError
from bot.simulator.clock import SimulatorClock
from tests.support.clinic import opened

ENERGY_1 = """
code = "energy"
version = "1"
scored = ["morning", "evening"]

[[items]]
code = "morning"
style = "choice"
high = 2

[[items]]
code = "evening"
style = "choice"
high = 2

[bands]
low = 0
enough = 2

[wording.en]
title = "Energy"
options = ["None", "Some", "Much"]

[wording.en.items]
morning = "Energy this morning"
evening = "Energy this evening"
"""
ENERGY_2 = ENERGY_1.replace('version = "1"', 'version = "2"').replace("enough = 2", "enough = 4")

PROTOCOL = """
code = "ours"
before = ["energy@1"]
weekly_after = ["energy@1"]
remind_after_hours = 2
recurring = []
slots = []
"""


async def test_a_new_version_never_changes_what_was_stored_under_the_old_one(tmp_path: Path) -> None:
    ours, data = tmp_path / "ours", tmp_path / "data"
    (ours / "protocols").mkdir(parents=True)
    (ours / "energy1.toml").write_text(ENERGY_1, encoding="utf-8")
    (ours / "protocols" / "ours.toml").write_text(PROTOCOL, encoding="utf-8")
    chosen: dict[str, Any] = {"instruments": ours, "protocols": ours / "protocols", "protocol": "ours"}

    async with opened(data, **chosen) as clinic:
        await clinic.enrols(clinic.ana)
        await clinic.next_prompt(clinic.ana)
        assert "Energy this morning" in await clinic.ana.last()
        await clinic.ana.taps("Much", "Some")

    (ours / "energy2.toml").write_text(ENERGY_2, encoding="utf-8")
    (ours / "protocols" / "ours.toml").write_text(PROTOCOL.replace("@1", "@2"), encoding="utf-8")
    async with opened(data, staff=False, **chosen) as clinic:
        first, second = clinic.desk.act_now(_scores)
        assert first == ("1", Score(3, 0, 4, "enough"))
        assert second == ("2", None)  # planned anew under the new version, not answered yet

    (ours / "energy1.toml").write_text(ENERGY_1.replace("enough = 2", "enough = 1"), encoding="utf-8")
    with pytest.raises(SettingsError, match="energy@1: read a file that changed since it was first used"):
        _open(data, ours)
    (ours / "energy1.toml").unlink()
    with pytest.raises(SettingsError, match="energy@1: read no file"):
        _open(data, ours)


def _scores(work: Work) -> list[tuple[str, object]]:
    patient = work.stores.patients.all()[0]
    patient.planned_until = None
    courses.plan_ahead(work)
    found: list[tuple[str, object]] = []
    for row in work.stores.check_ins.of(patient.id)[:2]:
        version = row.parts.partition("@")[2][:1]
        answers = {r.item: work.stores.responses.value(r) for r in work.stores.responses.to(row.id)}
        score = work.knowledge.library.instrument("energy", version).score(answers)
        found.append((version, score if isinstance(score, Score) else None))
    return found


def _open(data: Path, ours: Path) -> None:
    settings = Settings(_env_file=None, data_dir=data)
    app.open_desk(settings, Clinic(phone="1", instruments=ours), SimulatorClock())


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('code = "energy"', 'code = "phq9"', "a version of phq9 that no other file has"),
        ('version = "1"', 'version = "one"', "a whole number"),
        ('scored = ["morning", "evening"]', 'scored = ["noon"]', "the code of an item"),
        ('morning = "Energy this morning"', "", "wording.en.items.morning: read None, expected a question"),
        ('options = ["None", "Some", "Much"]', 'options = ["None"]', "one for each value"),
        ('style = "choice"', 'style = "slider"', "scale, choice or yes_no"),
        ("high = 2", "high = 0", "a whole number above 0"),
        ("[wording.en]", "[wording.en", "valid TOML"),
    ],
)
def test_an_instrument_that_cannot_be_used_stops_the_start(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / "energy.toml").write_text(ENERGY_1.replace(was, becomes), encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        _open(tmp_path / "data", ours)


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"instruments: read .*nowhere"):
        _open(tmp_path / "data", tmp_path / "nowhere")
