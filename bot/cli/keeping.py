"""Keeping what patients said: backups, restoring them, and proving that both are whole."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy.exc import SQLAlchemyError

from bot import app
from bot.cli.common import errors, own_settings, read_clinic
from bot.clock import SystemClock
from bot.services import keeping
from bot.settings import Settings
from bot.upkeep import shelf_of
from storage.backup import shelf
from storage.errors import StorageError


class Counter:
    """A bar of rows; the two callbacks that storage calls while it works."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None)

    def expect(self, rows: int) -> None:
        self._progress.update(self._task, total=rows)

    def moved(self, rows: int) -> None:
        self._progress.advance(self._task, rows)


@contextmanager
def counting(title: str) -> Iterator[Counter]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"))
    with Progress(*columns, console=errors, transient=True) as progress:
        yield Counter(progress, title)


def backup(
    to: Annotated[Path | None, typer.Option(help="a folder; none: BACKUP_DIR and BACKUP_KEYS_DIR")] = None,
) -> None:
    """Write all data to one archive and the patient keys to another, also while the bot runs."""
    settings = own_settings(Settings.read())
    clinic = read_clinic(settings)
    place = shelf_of(settings, clinic)
    if to is not None:
        place = replace(place, data=to / "data", keys=to / "keys")
    desk = app.open_desk(settings, clinic, SystemClock())
    now = desk.clock.now()
    try:
        with counting("Backing up") as count:
            made = shelf.make(
                desk.database, desk.database.masters, place, now, expect=count.expect, moved=count.moved
            )  # fmt: skip
        if to is None:
            place.clear(now)
        desk.act_now(keeping.note_backup, made.data.name)
    except StorageError:
        with suppress(SQLAlchemyError):  # on the same full disk it cannot be noted either
            desk.act_now(keeping.note_failed_backup)
        raise
    finally:
        desk.close()
    typer.echo(f"{made.rows} rows, {made.size / 1e6:.1f} MB: {made.data}; patient keys apart: {made.keys}")
