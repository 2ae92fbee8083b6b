"""Inviting the care team."""

from typing import Annotated

import typer

from bot.cli.common import act, errors
from bot.services import enrolment
from bot.settings import Settings
from storage.tables.people import Role


def invite(role: Annotated[Role, typer.Option(help="admin, nurse or physician")] = Role.ADMIN) -> None:
    """Print a one-time link for a member of the care team."""
    if role == Role.PATIENT:
        raise typer.BadParameter("patients are invited from the chat, with /enrol")
    settings = Settings.read()
    token = act(settings, lambda work: enrolment.invite_staff(work, role))
    name = act(settings, lambda work: work.stores.facts.read("bot.username"))
    if name:
        typer.echo(invite_link(name, token))
    else:
        typer.echo(f"/start {token}")
        errors.print("The bot has not met Telegram yet: send this line to it, or run this again after its first start.")


def invite_link(bot: str, token: str) -> str:
    return f"https://t.me/{bot}?start={token}"
