"""The operator's round: is everything in place, and is the schema the right one?"""

import typer
from rich.table import Table

from bot.cli.common import act, console, simulated
from bot.doctor import Verdict, examine
from bot.settings import Settings

MARKS = {Verdict.GOOD: "[green]good[/]", Verdict.LOOK: "[yellow]look[/]", Verdict.BAD: "[bold red]bad[/]"}


def doctor() -> None:
    """Check settings, clinic file, database, keys, staff and rota, and Telegram; says what to do about each."""
    settings = Settings.read()
    on_simulator = settings.telegram_token is None
    table = Table(show_header=False, box=None, pad_edge=False)
    verdicts = []
    for check in examine(simulated(settings) if on_simulator else settings, simulated=on_simulator):
        verdicts.append(check.verdict)
        table.add_row(MARKS[check.verdict], check.name, check.says)
    console.print(table)
    raise typer.Exit(1 if Verdict.BAD in verdicts else 0)


def migrate() -> None:
    """Bring the database schema to what this program needs."""
    settings = Settings.read()
    act(settings, lambda work: work.stores.patients.count())
    typer.echo("The database is up to date.")
