"""The commands that a chat offers, by role; everything else is a button, or works when it is typed."""

from bot.texts import Texts

PATIENT_COMMANDS = ("checkin", "chart", "help", "pause", "settings", "about")  # six at most
STAFF_COMMANDS = ("patients", "digest", "enrol", "oncall", "help", "about")

Menu = tuple[tuple[str, str], ...]  # command and what it does


def menu(names: tuple[str, ...], texts: Texts, language: str) -> Menu:
    return tuple((name, texts.say(f"command.{name}", language)) for name in names)
