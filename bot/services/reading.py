"""What renderers of letters need to know about a letter and its reader."""

from uuid import UUID

from bot.services.work import Work
from storage.stores.outbox import DueLetter

LetterView = DueLetter  # a letter's row, as renderers see it


def bot_name(work: Work) -> str:
    """The bot's user name, as Telegram told it at the last start."""
    return work.stores.facts.read("bot.username") or ""


def patient_code(work: Work, patient_id: UUID | None) -> str:
    return work.stores.patients.get(patient_id).code if patient_id else ""


def staff_name(work: Work, person_id: UUID | None) -> str:
    person = work.stores.people.find(person_id) if person_id else None
    return work.stores.people.name(person) if person else ""
