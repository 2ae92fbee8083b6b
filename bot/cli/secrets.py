"""The master key: a new one, and what it wraps."""

import typer

from bot import app
from bot.cli.common import own_settings, read_clinic
from bot.cli.keeping import Counter, existing_masters
from bot.clock import SystemClock
from bot.services.work import Work
from bot.settings import Settings
from storage.crypto import add_master

keys = typer.Typer(no_args_is_help=True, help="The master key and what it wraps.")


@keys.command()
def rotate() -> None:
    """Make a new master key and wrap all patient keys with it, also while the bot runs; goes on with a killed run."""
    settings = own_settings(Settings.read())
    existing_masters(settings)
    desk = app.open_desk(settings, read_clinic(settings), SystemClock(), beside=True)
    masters = desk.database.masters
    try:
        left = desk.act_now(lambda work: work.stores.keys.count_under_older())
        began = not left
        if began:
            add_master(settings.key_file)
            masters.read_again()
            left = desk.act_now(lambda work: work.stores.keys.count_under_older())
        with Counter("Wrapping keys") as count:
            count.expect(left)
            while moved := desk.act_now(lambda work: work.stores.keys.rewrap()):
                count.moved(moved)
        desk.act_now(_note)
    finally:
        desk.close()
    typer.echo(
        f"{left} keys are now wrapped by {masters.current}" + ("." if began else ", which an earlier run began.")
    )
    typer.echo(
        f"Copy {settings.key_file} to where its copy is kept, now. The older lines in it still open older backups: "
        "remove them when the last backup that was made before today has left the shelf."
    )


def _note(work: Work) -> None:
    work.stores.audit.record("master.rotated", actor=None)
