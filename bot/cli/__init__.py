"""The command `afterglow`: one module per family of commands, listed here."""

import sys
from collections.abc import Callable

import typer

from bot.cli import exporting, keeping, medicine, operating, people, post, running, secrets
from bot.cli.common import errors
from bot.clinical.backtest import BadSeries
from bot.clinical.rules import BadLimit
from bot.services.errors import UnknownPatient
from bot.settings import SettingsError
from storage.errors import StorageError

MISUSE = 2

COMMANDS: dict[str, Callable[..., None]] = {
    "start": running.start,
    "run": running.run,
    "simulate": running.simulate,
    "invite": people.invite,
    "erase": people.erase,
    "export": exporting.export,
    "screen": medicine.screen,
    "backtest": medicine.replay_series,
    "doctor": operating.doctor,
    "migrate": operating.migrate,
    "backup": keeping.backup,
    "restore": keeping.restore,
    "verify": keeping.verify,
}

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help="A symptom diary for the days after a ketamine infusion."
)
for name, command in COMMANDS.items():
    cli.command(name)(command)
for name, group in (("inbox", post.inbox), ("outbox", post.outbox), ("keys", secrets.keys)):
    cli.add_typer(group, name=name)


def main() -> None:
    try:
        cli()
    except (SettingsError, StorageError, BadLimit, BadSeries) as error:
        errors.print(f"[bold red]This cannot be done.[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(MISUSE)
    except UnknownPatient:
        errors.print("There is no patient with that code.")
        sys.exit(MISUSE)
