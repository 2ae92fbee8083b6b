"""Keeping what patients said: backups, restoring them, and proving that both are whole."""

from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Self

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from bot import app
from bot.cli.common import console, errors, own_settings, read_clinic
from bot.clock import SystemClock
from bot.services import keeping
from bot.services.restoring import Stock
from bot.settings import Clinic, Settings
from bot.upkeep import put_in_place, shelf_of
from storage.backup import shelf
from storage.backup.restore import Archived, Source, aside_of, building, open_pair
from storage.backup.snapshot import reading
from storage.backup.stream import Streamed, is_stream
from storage.crypto import MasterKeys
from storage.engine import Database, require_current_schema
from storage.errors import BadKeyFile, StorageError
from storage.sealed import count_sealed
from storage.verify import prove

MOMENT = "%Y-%m-%d %H:%M"


class Counter:
    """A bar of rows while its body runs; `expect` and `moved` are what storage calls while it works."""

    def __init__(self, title: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"))
        self._progress = Progress(*columns, console=errors, transient=True)
        self._task = self._progress.add_task(title, total=None)

    def expect(self, rows: int | None) -> None:
        self._progress.update(self._task, total=rows)

    def moved(self, rows: int) -> None:
        self._progress.advance(self._task, rows)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._progress.stop()


def backup(
    to: Annotated[Path | None, typer.Option(help="a folder; none: BACKUP_DIR and BACKUP_KEYS_DIR")] = None,
) -> None:
    """Write all data to one archive and the patient keys to another, also while the bot runs."""
    settings = own_settings(Settings.read())
    clinic = read_clinic(settings)
    place = shelf_of(settings, clinic)
    if to is not None:
        place = replace(place, data=to / "data", keys=to / "keys")
    desk = app.open_desk(settings, clinic, SystemClock(), beside=True)
    now = desk.clock.now()
    try:
        with Counter("Backing up") as count:
            made = shelf.make(
                desk.database, desk.database.masters, place, now, expect=count.expect, moved=count.moved
            )  # fmt: skip
        if to is None:
            place.clear(now)
        desk.act_now(keeping.note_backup, made.data.name)
    except StorageError:
        with suppress(StorageError):  # on the same full disk it cannot be noted either
            desk.act_now(keeping.note_failed_backup)
        raise
    finally:
        desk.close()
    typer.echo(f"{made.rows} rows, {made.size / 1e6:.1f} MB: {made.data}; patient keys apart: {made.keys}")


def restore(
    backup: Annotated[Path, typer.Argument(help="an archive of data, ….data.zip, or the folder of a stream")],
    keys: Annotated[Path | None, typer.Option(help="an archive of keys; none: the newest in BACKUP_KEYS_DIR")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask before the database in place is put aside")] = False,
) -> None:
    """Put a backup in the place of the database: proved first, and what it replaces is kept."""
    settings = own_settings(Settings.read())
    clinic = read_clinic(settings)
    masters, now, count = existing_masters(settings), SystemClock().now(), Counter("Restoring")
    source = source_of(settings, clinic, backup, keys, masters, count)
    database = Database(settings.database, masters)
    console.print(f"The backup shows {source.moment:{MOMENT}} UTC.")
    if not yes:
        typer.confirm("Answers that came after it will be gone from the diary. Put it in place?", abort=True)
    with count:
        stock = put_in_place(database, source, app.knowledge(clinic), now)
    tell(stock, aside_of(database, now))


def source_of(
    settings: Settings, clinic: Clinic, backup: Path, keys: Path | None, masters: MasterKeys, count: Counter
) -> Source:
    if is_stream(backup):
        return Streamed(backup, masters)
    newest = shelf_of(settings, clinic).newest_keys
    source = Archived(open_pair(backup, keys or newest(), masters, named=keys is not None), count.moved)
    count.expect(source.rows)
    return source


def tell(stock: Stock, aside: str) -> None:
    """What an operator has to know before the bot starts again."""
    console.print(f"[green]Restored.[/] What was there is kept as {aside}.", soft_wrap=True)
    console.print(
        f"Answers received from {stock.lost_from:{MOMENT}} to {stock.lost_until:{MOMENT}} UTC are lost, but for those "
        "that Telegram still holds: they come when the bot starts (within 24 hours of being sent)."
    )
    console.print(
        f"Promised meanwhile: {stock.asked_again} check-ins are asked again, {stock.given_up} had expired, "
        f"{stock.letters} letters and {stock.updates} updates wait."
    )
    for alert in stock.alerts:
        due = f"{alert.next_step_at:{MOMENT}} UTC" if alert.next_step_at else "not set"
        console.print(f"Open alert {alert.code}: {alert.level}, {alert.state}; next step {due}")
    console.print("Alerts raised in that time are not known: look at the team's chat. Now start the bot.")


def verify(
    backup: Annotated[Path | None, typer.Argument(help="an archive or a stream; none: the database in place")] = None,
    keys: Annotated[Path | None, typer.Option(help="an archive of keys; none: the newest in BACKUP_KEYS_DIR")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="only so many of each sealed field, the newest")] = None,
) -> None:
    """Prove that the database, or a backup, is whole: file, references, audit trail, promises, and every seal."""
    settings = own_settings(Settings.read())
    masters, now = existing_masters(settings), SystemClock().now()
    with ExitStack() as stack:
        if backup is None:
            database = Database(settings.database, masters)
            stack.callback(database.close)
            connection = stack.enter_context(reading(database))
            require_current_schema(connection)
        else:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="verify-", dir=settings.data_dir)))
            with Counter("Reading") as count:
                source = source_of(settings, read_clinic(settings), backup, keys, masters, count)
                connection = stack.enter_context(building(folder / "verify.sqlite", masters, source))
        with Counter("Opening") as count:
            count.expect(count_sealed(connection, sample))
            proofs = list(prove(connection, masters, now, sample=sample, moved=count.moved))
    table = Table(show_header=False, box=None, pad_edge=False)
    for proof in proofs:
        table.add_row("[green]good[/]" if proof.whole else "[bold red]bad[/]", proof.name, proof.says)
    console.print(table)
    raise typer.Exit(0 if all(proof.whole for proof in proofs) else 1)


def existing_masters(settings: Settings) -> MasterKeys:
    """The key file as it is: to make a new one here would only hide that the right one is missing."""
    if not settings.key_file.exists():
        raise BadKeyFile(str(settings.key_file), "it is not there; put its copy in place first")
    return MasterKeys.from_file(settings.key_file)
