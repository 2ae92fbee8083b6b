"""What the commands share: where they print, and how they get at the settings and the database."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TextIO, TypeVar

from rich.console import Console

from bot import app
from bot.clock import SystemClock
from bot.desk import Desk
from bot.services.work import Work
from bot.settings import Clinic, Settings, SettingsError

T = TypeVar("T")

console, errors = Console(), Console(stderr=True)

SIMULATOR_FOLDER = "simulator"


def simulated(settings: Settings) -> Settings:
    """The same settings with a data folder of the simulator's own."""
    folder = settings.data_dir / SIMULATOR_FOLDER
    own = ("database_url", "master_key_file", "backup_dir", "backup_keys_dir", "backup_stream_dir")
    return settings.model_copy(update={"data_dir": folder} | dict.fromkeys(own))


def own_settings(settings: Settings) -> Settings:
    """The settings of the bot that commands work on: without a token, that is the simulator's."""
    return simulated(settings) if settings.telegram_token is None and settings.database_url is None else settings


def act(settings: Settings, use_case: Callable[[Work], T]) -> T:
    """One use case on the database of the settings, for a command."""
    with opened(settings) as desk:
        return desk.act_now(use_case)


@contextmanager
def opened(settings: Settings) -> Iterator[Desk]:
    """The database of the settings for as long as a command takes."""
    desk = app.open_desk(own_settings(settings), read_clinic(settings), SystemClock(), beside=True)
    try:
        yield desk
    finally:
        desk.close()


def read_clinic(settings: Settings) -> Clinic:
    if not settings.clinic_file.exists():
        return Clinic()
    return Clinic.from_file(settings.clinic_file)


def open_csv(file: str) -> TextIO:
    """A file, or standard input for -, with or without a byte order mark; line breaks inside a cell stay."""
    try:
        read = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return StringIO(read.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError:
        raise SettingsError(file, read="bytes that are not UTF-8", expected="a CSV saved as UTF-8") from None
    except OSError as error:
        raise SettingsError(file, read=error.strerror or "an error", expected="a readable file") from None
