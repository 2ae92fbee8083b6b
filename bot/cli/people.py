"""Inviting the care team, and erasing a patient."""

from typing import Annotated

import typer

from bot.cli.common import act, console, errors, read_clinic
from bot.services import enrolment, privacy
from bot.services.privacy import Erasure
from bot.settings import Settings
from storage.backup.stream import GENERATION, KEPT_GENERATIONS
from storage.stores.keys import CACHED_FOR
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


def erase(
    patient: Annotated[str, typer.Argument(help="the patient's code, as P-0001")],
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Destroy a patient's key and empty what says who it was, as the patient's own /delete does. For good."""
    settings = Settings.read()
    found = act(settings, lambda work: privacy.erase_for_operator(work, patient, really=False))
    if not found.open_alerts and not yes:
        console.print(f"{found.code}: {_counted(found)}.", highlight=False, soft_wrap=True)
        typer.confirm("Erase this patient? Nobody can take that back.", abort=True)
    if not found.open_alerts:  # asked once more inside: one may have been raised while the question stood
        found = act(settings, lambda work: privacy.erase_for_operator(work, patient, really=True))
    if found.open_alerts:
        errors.print(
            f"Nothing was erased: {', '.join(found.open_alerts)} is open. Let the team close it in the chat first; "
            "the patient's own /delete waits for that too.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        raise typer.Exit(1)
    keep, stream = read_clinic(settings).keeping.key_backups, (GENERATION * KEPT_GENERATIONS).days
    console.print(f"{found.code} is erased: {_counted(found)}.", highlight=False, soft_wrap=True)
    console.print(
        f"Older backups still hold it, sealed; the key that opens it leaves the last of them after {keep} days, "
        f"and a stream after {stream} days. A bot that runs forgets the key within {CACHED_FOR.seconds} seconds. "
        f"Databases that a restore has replaced go after {keep} days, too. Messages in Telegram itself stay there.",
        highlight=False, soft_wrap=True,
    )  # fmt: skip


def _counted(found: Erasure) -> str:
    if not found.joined:
        return "invited and never joined; the link does not work any more"
    had = found.stored
    return (
        f"{had.check_ins} check-ins with {had.answers} answers, {had.notes} notes, {had.infusions} infusions, "
        f"{had.alerts} alerts, {had.about} contact and safety plan entries"
    )


def invite_link(bot: str, token: str) -> str:
    return f"https://t.me/{bot}?start={token}"
