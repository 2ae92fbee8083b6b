"""The house rules that no single test of a room would notice."""

import re
import shutil
import subprocess  # nosec B404
import sys
from pathlib import Path

import pytest
from telegram.ext import CallbackQueryHandler, ChatMemberHandler, CommandHandler

from bot.chat.handlers import ROUTES
from bot.chat.letters import KINDS
from bot.chat.permissions import Allow
from bot.texts import LANGUAGES, load

ROOT = Path(__file__).parents[2]
FOR_ANYBODY = {"start", "help", "about"}
STAFF_COMMANDS = {"digest", "enrol", "patients", "oncall"}
ADMIN_COMMANDS = {"incidents"}


def test_an_import_across_the_rooms_fails_the_check(tmp_path: Path) -> None:
    for folder in ("bot", "storage"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    module = tmp_path / "bot" / "clinical" / "terms.py"
    module.write_text("import sqlalchemy\n" + module.read_text(encoding="utf-8"), encoding="utf-8")
    check = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert check.returncode != 0
    assert "bot.clinical.terms -> sqlalchemy" in check.stdout


def test_commands_and_taps_declare_who_may() -> None:
    for route in ROUTES:
        handler = route.handler
        if isinstance(handler, CommandHandler):
            name = next(iter(handler.commands))
            wanted = Allow.ANYBODY if name in FOR_ANYBODY else Allow.STAFF if name in STAFF_COMMANDS else Allow.PATIENT
            wanted = Allow.ADMIN if name in ADMIN_COMMANDS else wanted
            assert route.allow is wanted, name
        else:
            assert isinstance(route.allow, Allow)
        if isinstance(handler, CallbackQueryHandler) and handler.pattern is not None and route.allow is Allow.ANYBODY:
            assert "help" in str(handler.pattern)  # help is the one button that everybody may press
        if isinstance(handler, ChatMemberHandler):
            assert route.allow is Allow.ANYBODY


def test_every_letter_that_is_written_can_be_rendered() -> None:
    written = set()
    for file in (ROOT / "bot" / "services").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        written |= set(re.findall(r"(?:reply|to_person|to_patient|to_chat)\([^\"]*?\"([a-z_]+\.[a-z_.]+)\"", text))
    assert len(written) > 15
    assert written - set(KINDS) == set()
    assert {"crisis", "alert.page", "check_in.prompt"} <= set(KINDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_complete_with_the_same_placeholders(language: str) -> None:
    texts = load()
    english = set(texts.keys("en"))
    assert set(texts.keys(language)) == english
    for key in english:
        here, there = (
            {name for form in texts._forms(key, code) for name in re.findall(r"{(\w+)}", form)}
            for code in (language, "en")
        )
        assert here | {"n"} == there | {"n"}, key


def test_every_sentence_that_the_code_asks_for_exists() -> None:
    known = set(load().keys("en"))
    asked = set()
    for file in (ROOT / "bot").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        asked |= set(re.findall(r"reader\.(?:say|count|button)\(\s*\"([a-z0-9_.]+)\"", text))
        asked |= set(re.findall(r"detail=\"([a-z_]+\.[a-z_.]+)\"", text))
        asked |= set(re.findall(r"key = \"(error\.[a-z_]+)\"", text))
    assert len(asked) > 60
    assert asked - known == set()


def test_sentences_of_the_report_exist() -> None:
    known = set(load().keys("en"))
    asked = set()
    for file in (ROOT / "bot" / "exports").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        asked |= set(re.findall(r"voice\.(?:say|count)\(\s*\"([a-z0-9_.]+)\"", text))
    assert {f"exports.{key}" for key in asked} - known == set()


def test_every_volume_of_the_container_belongs_to_the_user_that_runs_in_it() -> None:
    image, composed = (ROOT / "Dockerfile").read_text(), (ROOT / "compose.yaml").read_text()
    mounted = re.findall(r"^      - [a-z-]+:(/[a-z-]+)", composed, re.MULTILINE)
    assert len(mounted) == 3
    declared = re.search(r"VOLUME \[(.*)\]", image)
    made = re.search(r"install --directory --owner afterglow --mode 700 (.*)", image)
    assert declared and made
    assert sorted(re.findall(r'"(.*?)"', declared[1])) == sorted(mounted) == sorted(["/data", *made[1].split()])
