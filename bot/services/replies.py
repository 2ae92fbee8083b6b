"""Replies that change nothing."""

from bot.services import letters
from bot.services.errors import StaleButton
from bot.services.work import Work

SETTINGS = ("zone", "hour", "language")


def stale(_work: Work) -> None:
    """A button that nobody offered, or that was offered long ago."""
    raise StaleButton


def about(work: Work) -> None:
    letters.reply(work, "notice", detail="about")


def settings(work: Work) -> None:
    letters.reply(work, "settings")


def ask(work: Work, setting: str) -> None:
    """Asks for a setting again."""
    if setting not in SETTINGS:
        raise StaleButton
    step = f"enrolment.{setting}"
    if work.caller.chat is not None:
        work.stores.dialogues.enter(work.caller.chat, step)
    letters.reply(work, step)


def nothing(_work: Work) -> None:
    """For updates that need no answer: the row is done."""


def who_are_you(work: Work) -> None:
    """A text from a stranger: one line with where help is, since it may be somebody who needs it."""
    letters.reply(work, "notice", detail="start.stranger")
    letters.reply(work, "help.numbers")
