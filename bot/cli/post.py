"""Inbox and outbox: what waits, what is buried, and putting that back."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.table import Table

from bot.cli.common import act, console, errors
from bot.clock import SystemClock
from bot.services import post
from bot.services.post import Pile
from bot.services.work import Work
from bot.settings import Settings

inbox = typer.Typer(invoke_without_command=True, help="What came in and waits, or could not be handled.")
outbox = typer.Typer(invoke_without_command=True, help="What is to go out and waits, or could not be made.")

Place = Annotated[int, typer.Argument(metavar="N", help="its number in the list")]


@inbox.callback()
def list_updates(context: typer.Context) -> None:
    """List what waits and what is buried: its number, age, tries and sender; never what it says."""
    if context.invoked_subcommand is None:
        _tell(act(Settings.read(), post.inbox), "updates", "afterglow inbox replay N")


@outbox.callback()
def list_letters(context: typer.Context) -> None:
    """List what waits and what is buried: its number, age, tries, reader and kind; never what it says."""
    if context.invoked_subcommand is None:
        _tell(act(Settings.read(), post.outbox), "letters", "afterglow outbox replay N")


@inbox.command("replay")
def replay_update(number: Place) -> None:
    """Put a buried update back, after what was in its way was repaired: it is handled as if it had just come."""
    _put_back(number, post.put_back_update)


@outbox.command("replay")
def replay_letter(number: Place) -> None:
    """Put a buried letter back, after what was in its way was repaired: it is made and sent again."""
    _put_back(number, post.put_back_letter)


def _put_back(number: int, use_case: Callable[[Work, int], bool]) -> None:
    if not act(Settings.read(), lambda work: use_case(work, number)):
        errors.print(f"Number {number} is not buried here: look at the list for what is.")
        raise typer.Exit(1)
    typer.echo(f"Number {number} is back. A bot that runs takes it within seconds.")


def _tell(pile: Pile, what: str, remedy: str) -> None:
    now = SystemClock().now()
    table = Table("N", "state", "for", "tries", "who", "what", box=None, pad_edge=False)
    for one in pile.shown:
        age = str(max(now - one.since, now - now)).partition(".")[0]
        state = "[bold red]buried[/]" if one.buried else "waits"
        table.add_row(str(one.position), state, age, str(one.attempts), one.who, one.what)
    buried = sum(one.buried for one in pile.shown)
    console.print(f"{pile.waiting} {what} wait, {buried} are buried.")
    if pile.shown:
        console.print(table)
    if buried:
        console.print(f"Look at the log around them; after the repair, `{remedy}`.", highlight=False)
