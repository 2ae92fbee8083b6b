"""The commands as an operator types them: what is missing or wrong gets a sentence and an exit code."""

import os
import re
import subprocess  # nosec B404
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.chat.letters import KINDS
from bot.cli import cli
from bot.clock import SystemClock
from bot.services import check_ins
from bot.services.errors import UnknownPatient
from bot.services.work import Work
from bot.settings import SettingsError
from storage.engine import RunningLock
from storage.tables.people import Role
from tests.support.clinic import SimulatedClinic

ROOT = Path(__file__).parents[2]


def afterglow(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(folder), **settings},
    )  # fmt: skip


def beside(clinic: SimulatedClinic, *arguments: str, typed: str | None = None) -> Result:
    """A command on the database and by the clock of the running bot, without the seconds that a process would take."""
    settings = {"DATA_DIR": str(clinic.folder), "DATABASE_URL": clinic.settings.database}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SystemClock, "now", lambda _: clinic.clock.now())
        return CliRunner().invoke(cli, arguments, input=typed, env=settings)


@pytest.mark.parametrize(
    ("settings", "clinic", "said"),
    [
        ({}, "", "TELEGRAM_TOKEN: read nothing"),
        ({"TELEGRAM_TOKEN": "not-a-token"}, "", "expected the token that BotFather gave you"),
        ({"TELEGRAM_TOKEN": "1:x"}, "", "the clinic's own phone line"),
        ({"TELEGRAM_TOKEN": "1:x"}, "phone = 5", "clinic.toml phone: read 5"),
        ({"TELEGRAM_TOKEN": "1:x"}, "phon = '1'", "clinic.toml phon"),
        ({"TELEGRAM_TOKEN": "1:x"}, "zone = 'Mars/Base'", "IANA time zone"),
        ({"TELEGRAM_TOKEN": "1:x"}, "phone = ", "valid TOML"),
        ({"PORT": "far"}, "", "PORT: read 'far'"),
        ({"LOG_LEVEL": "loud"}, "", "LOG_LEVEL"),
    ],
)
def test_a_missing_or_bad_setting(tmp_path: Path, settings: dict[str, str], clinic: str, said: str) -> None:
    if clinic:
        (tmp_path / "clinic.toml").write_text(clinic + "\n", encoding="utf-8")
    ran = afterglow(tmp_path, "run", **settings)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "not-a-token" not in ran.stderr


def test_a_second_process_on_the_same_file(tmp_path: Path) -> None:
    with RunningLock(tmp_path / "simulator" / "afterglow.sqlite"):
        ran = afterglow(tmp_path, "start", PORT="0")
    assert ran.returncode == 2
    assert f"process {os.getpid()}" in ran.stderr
    assert "PostgreSQL" in ran.stderr


def test_a_broken_key_file(tmp_path: Path) -> None:
    (tmp_path / "master.keys").write_text("short abcd\n", encoding="ascii")
    ran = afterglow(tmp_path, "doctor", MASTER_KEY_FILE=str(tmp_path / "master.keys"), TELEGRAM_TOKEN="1:x")
    assert "line 1 holds 2 bytes" in ran.stdout + ran.stderr
    assert ran.returncode != 0


def test_doctor_names_what_is_missing(tmp_path: Path) -> None:
    ran = afterglow(tmp_path, "doctor", TELEGRAM_TOKEN="1:x", TELEGRAM_API_URL="http://127.0.0.1:9")
    assert ran.returncode == 1
    for said in ("set `phone`", "nobody is on the rota", "cannot be reached", "good  database"):
        assert said in " ".join(ran.stdout.split()) or said in ran.stdout, said


def test_invite_prints_a_link_that_works_once(tmp_path: Path) -> None:
    ran = afterglow(tmp_path, "invite", "--role", "admin")
    assert ran.returncode == 0
    assert ran.stdout.startswith("/start ")
    assert afterglow(tmp_path, "invite", "--role", "patient").returncode != 0


def test_screen_adds_level_and_pattern(tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text('id,text\n1,I want to kill myself\n2,"Lovely, sunny day"\n', encoding="utf-8")
    ran = afterglow(tmp_path, "screen", "texts.csv")
    rows = ran.stdout.splitlines()
    assert rows[0] == "id,text,level,pattern"
    assert ",red," in rows[1] or ",orange," in rows[1]
    assert rows[2].endswith(",,") or ",none" in rows[2]


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("\ufefftext\nI want to die\n", 'text,level,pattern\nI want to die,orange,en.wish_to_die\n'),
        ('text\r\n"He said ""hi"".\nI want to die"\r\n',
         'text,level,pattern\n"He said ""hi"".\nI want to die",orange,en.wish_to_die\n'),
        ("id,text\n1\n\n2,\n", "id,text,level,pattern\n1,,,\n2,,,\n"),
        ("level,text\nold,I want to die\n", "text,level,pattern\nI want to die,orange,en.wish_to_die\n"),
        ("text\n", "text,level,pattern\n"),
    ],
    ids=["byte order mark", "quotes and line breaks", "empty cells", "screened before", "no rows"],
)  # fmt: skip
def test_screen_reads_what_spreadsheets_write(tmp_path: Path, typed: str, printed: str) -> None:
    assert CliRunner().invoke(cli, ["screen", "-"], input=typed).stdout == printed
    file = tmp_path / "texts.csv"
    file.write_bytes(typed.encode())
    assert CliRunner().invoke(cli, ["screen", str(file)]).stdout == printed


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (b"note\nI want to die\n", "expected a column named text"),
        (b"", "expected a column named text"),
        (b"text\nI slept, then I ate\n", "line 2: read more cells than there are columns"),
        (b"text\nI slept \xe9\n", "expected a CSV saved as UTF-8"),
    ],
)
def test_screen_says_what_it_cannot_read(typed: bytes, said: str) -> None:
    ran = CliRunner().invoke(cli, ["screen", "-"], input=typed)
    assert isinstance(ran.exception, SettingsError)
    assert said in str(ran.exception)


async def test_a_real_database_never_serves_the_simulator(clinic: SimulatedClinic) -> None:
    ran = afterglow(
        clinic.folder, "run", TELEGRAM_TOKEN="1:x", CLINIC_FILE=str(_clinic_file(clinic.folder)),
        DATABASE_URL=f"sqlite:///{clinic.folder / 'afterglow.sqlite'}", TELEGRAM_API_URL="http://127.0.0.1:9",
    )  # fmt: skip
    assert ran.returncode == 2
    assert "already running" in ran.stderr or "belongs to the simulator" in ran.stderr


def _clinic_file(folder: Path) -> Path:
    file = folder / "clinic.toml"
    file.write_text('phone = "+1 555 0100"\n', encoding="utf-8")
    return file


async def test_export_in_every_format(clinic: SimulatedClinic, tmp_path: Path) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("7")
    settings = {"DATABASE_URL": f"sqlite:///{clinic.folder / 'afterglow.sqlite'}"}
    made = {
        kind: afterglow(tmp_path, "export", "p-0001", "--format", kind, **settings) for kind in ("pdf", "csv", "fhir")
    }
    assert [ran.returncode for ran in made.values()] == [0, 0, 0], made
    assert (tmp_path / "out" / "P-0001.pdf").read_bytes().startswith(b"%PDF")
    assert ",mood,7," in (tmp_path / "out" / "P-0001-responses.csv").read_text(encoding="utf-8-sig")
    assert '"valueQuantity"' in (tmp_path / "out" / "P-0001.fhir.json").read_text(encoding="utf-8")
    unknown = afterglow(tmp_path, "export", "P-0404", **settings)
    assert unknown.returncode == 2 and "no patient with that code" in unknown.stderr


async def test_erase_asks_and_says_what_is_gone_and_what_is_not_yet(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("7")
    asked = beside(clinic, "erase", "p0001", typed="n\n")
    assert asked.exit_code != 0 and "Erase this patient?" in asked.output
    ran = beside(clinic, "erase", "p0001", "--yes")
    assert "P-0001 is erased" in ran.output and "1 answers" in ran.output
    assert "after 14 days" in ran.output and "within 60 seconds" in ran.output
    assert isinstance(beside(clinic, "erase", "P-0001", "--yes").exception, UnknownPatient)
    await clinic.forward(minutes=2)
    assert "Everything about you is deleted" in await clinic.ana.last()


async def test_a_buried_answer_is_listed_without_its_words_and_put_back_days_later(
    clinic: SimulatedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    sound = check_ins.record
    monkeypatch.setattr(check_ins, "record", _fails)
    await clinic.ana.taps("7")
    listed = beside(clinic, "inbox").output
    assert "0 updates wait, 1 are buried" in listed
    (row,) = [line for line in listed.splitlines() if "P-0001" in line]
    assert "buried" in row and "mood" not in row
    number = row.split()[0]
    assert f"afterglow inbox replay {number}" in await clinic.admin.all_texts()

    await clinic.nurse.taps("Take it", "Contacted", "Close", "Reached and safe")
    monkeypatch.setattr(check_ins, "record", sound)
    await clinic.forward(days=2)  # the check-in has expired meanwhile
    assert f"Number {number} is back" in beside(clinic, "inbox", "replay", number).output
    await clinic.afterglow.settle()
    assert clinic.desk.act_now(_moods) == [7]
    assert "inbox.replayed" in clinic.desk.act_now(lambda work: [entry.act for entry in work.stores.audit.trail()])
    assert clinic.desk.act_now(lambda work: [one.kind for one in work.stores.incidents.all_open()]) == []
    again = beside(clinic, "inbox", "replay", number)
    assert again.exit_code == 1 and "not buried" in again.output


async def test_a_buried_letter_is_listed_and_sent_after_the_repair(
    clinic: SimulatedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await clinic.enrols(clinic.ana)
    sound = KINDS["settings"]
    monkeypatch.setitem(KINDS, "settings", _fails)
    await clinic.ana.says("/settings")
    await clinic.forward(minutes=1)
    (row,) = [line for line in beside(clinic, "outbox").output.splitlines() if "buried" in line and "P-0001" in line]
    assert "reply settings" in row
    number = row.split()[0]
    assert f"afterglow outbox replay {number}" in await clinic.admin.all_texts()
    monkeypatch.setitem(KINDS, "settings", sound)
    assert beside(clinic, "outbox", "replay", number).exit_code == 0
    await clinic.forward(seconds=5)
    assert "What would you like to change?" in await clinic.ana.last()


def _fails(*_: object) -> None:
    raise RuntimeError("this is broken")


def _moods(work: Work) -> list[int | None]:
    return [work.stores.responses.value(row) for row in work.stores.responses.of(work.stores.patients.all()[0].id)]


SERIES = """person,day,mood,infusion,phq9,urge,intent,missed
1,0,2,,18,,,
1,1,2,,,,,
1,2,3,,,,,
1,3,,1,,,,
1,4,7,,,,,
1,5,7,,,,,
1,6,7,,,3,0,
1,7,6,,,,,
1,8,7,,,,,
1,9,7,,,,,
1,10,7,,8,,,
1,11,4,,,,,
1,12,4,,,,,
1,13,3,,,,,
1,14,,,,,,1
1,15,,,,,,1
1,16,,,,,,1
1,17,2,,,8,2,
"""


def test_a_series_is_replayed_with_sentences_and_the_load(tmp_path: Path) -> None:
    (tmp_path / "series.csv").write_text(SERIES, encoding="utf-8")
    ran = afterglow(tmp_path, "backtest", "series.csv", "--language", "de")
    lines = ran.stdout.splitlines()
    assert lines[0] == "person,day,rule,level,alert,explanation"
    assert [line.split(",")[1:4] for line in lines[1:6]] == [
        ["6", "R0", "yellow"], ["13", "R1", "orange"], ["16", "R5", "yellow"], ["17", "R0", "red"],
        ["17", "R2", "yellow"],
    ]  # fmt: skip
    assert "eigenes Niveau nach dieser Infusion 6,9" in lines[2]
    assert lines[-1].startswith("5 alerts in 0.6 patient-months: 8.46 per patient-month, 5.07 without")


def test_other_limits_stand_beside_the_default(tmp_path: Path) -> None:
    (tmp_path / "series.csv").write_text(SERIES, encoding="utf-8")
    (tmp_path / "own.toml").write_text("[limits]\nloss_days = 2\nmissed_near = 4\n", encoding="utf-8")
    ran = afterglow(tmp_path, "backtest", "series.csv", "--limits", "own.toml", "--limits", "minimum_gain=2")
    rows = [line.split(",")[1:7] for line in ran.stdout.splitlines()]
    assert rows[0] == ["day", "rule", "level_default", "alert_default", "level_other", "alert_other"]
    assert ["12", "R1", "", "", "orange", "1"] in rows
    assert ["16", "R5", "yellow", "1", "", ""] in rows
    assert "default limits: 5 alerts" in ran.stdout and "other limits: 4 alerts" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--limits", "nonsense=1"], "there is no such limit"),
        (["--limits", "loss_days"], "name=number, or a TOML file"),
        (["--language", "fr"], "expected en, de, es"),
    ],
)
def test_a_trial_that_cannot_be_done_says_why(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "series.csv").write_text(SERIES, encoding="utf-8")
    ran = afterglow(tmp_path, "backtest", "series.csv", *arguments)
    assert ran.returncode == 2
    assert said in ran.stderr.replace("\n", " ")


async def test_export_of_everybody_twice_is_the_same(clinic: SimulatedClinic, tmp_path: Path) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("7")
    settings = {"DATABASE_URL": f"sqlite:///{clinic.folder / 'afterglow.sqlite'}"}
    for out in ("one", "two"):
        for kind in ("csv", "fhir"):
            ran = afterglow(tmp_path, "export", "--format", kind, "--out", out, **settings)
            assert ran.returncode == 0, ran.stderr
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert "responses.csv" in names and "dictionary.csv" in names and "P-0001.fhir.json" in names
    assert not [name for name in names if name.endswith(".part")]
    for name in names:
        made = [(tmp_path / out / name).read_text(encoding="utf-8") for out in ("one", "two")]
        if name.endswith(".json"):  # the moment of creation is all that differs
            made = [re.sub(r'"(timestamp|recorded)": "[^"]+"', "", text) for text in made]
        assert made[0] == made[1], name


async def test_export_of_a_period(clinic: SimulatedClinic, tmp_path: Path) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("7")
    settings = {"DATABASE_URL": f"sqlite:///{clinic.folder / 'afterglow.sqlite'}"}
    period = ["--from", "2020-01-01", "--to", "2020-12-31"]
    for kind in ("pdf", "csv", "fhir"):
        ran = afterglow(tmp_path, "export", "--format", kind, *period, **settings)
        assert ran.returncode == 0, ran.stderr
    assert len((tmp_path / "out" / "responses.csv").read_text(encoding="utf-8-sig").splitlines()) == 1
    assert '"Observation"' not in (tmp_path / "out" / "P-0001.fhir.json").read_text(encoding="utf-8")
    backwards = afterglow(tmp_path, "export", "--from", "2020-02-01", "--to", "2020-01-01", **settings)
    assert backwards.returncode == 2 and "--to is before --from" in backwards.stderr
