"""What the commands share: where they print, and how they get at the settings and the database."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, TypeVar

from rich.console import Console

from bot import app
from bot.clock import SystemClock
from bot.services.work import Work
from bot.settings import Clinic, Settings, SettingsError

T = TypeVar("T")

console, errors = Console(), Console(stderr=True)

SIMULATOR_FOLDER = "simulator"


def simulated(settings: Settings) -> Settings:
    """The same settings with a data folder of the simulator's own."""
    folder = settings.data_dir / SIMULATOR_FOLDER
    return settings.model_copy(update={"data_dir": folder, "database_url": None, "master_key_file": None})


def act(settings: Settings, use_case: Callable[[Work], T]) -> T:
    """One use case on the database of the settings, for a command."""
    clinic = read_clinic(settings)
    if settings.telegram_token is None and settings.database_url is None:
        settings = simulated(settings)
    desk = app.open_desk(settings, clinic, SystemClock())
    try:
        return desk.act_now(use_case)
    finally:
        desk.close()


def read_clinic(settings: Settings) -> Clinic:
    if not settings.clinic_file.exists():
        return Clinic()
    return Clinic.from_file(settings.clinic_file)


def open_csv(file: str) -> TextIO:
    if file == "-":
        return sys.stdin
    try:
        return Path(file).open(newline="", encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(file, read=error.strerror or "an error", expected="a readable file") from None
