"""What renderers of letters need to know about a letter and its reader."""

from typing import Protocol
from uuid import UUID

from bot.services.work import Work
from storage.tables.people import PatientState


class LetterView(Protocol):
    """The clear part of a letter's row."""

    kind: str
    urgency: int
    chat_id: UUID
    person_id: UUID | None
    patient_id: UUID | None
    subject_id: UUID | None
    detail: str
    fresh: bool


def reader_language(work: Work, person_id: UUID | None) -> str:
    person = work.stores.people.find(person_id) if person_id else None
    return person.language if person else work.clinic.language


def bot_name(work: Work) -> str:
    """The bot's user name, as Telegram told it at the last start."""
    return work.stores.facts.read("bot.username") or ""


def is_erased(work: Work, patient_id: UUID | None) -> bool:
    return patient_id is not None and work.stores.patients.get(patient_id).state == PatientState.ERASED


def patient_code(work: Work, patient_id: UUID | None) -> str:
    return work.stores.patients.get(patient_id).code if patient_id else ""


def staff_name(work: Work, person_id: UUID | None) -> str:
    person = work.stores.people.find(person_id) if person_id else None
    return work.stores.people.name(person) if person else ""
