"""Writing letters: what the bot will say, as rows of the same transaction as the fact they tell about."""

from datetime import datetime
from enum import IntEnum
from uuid import UUID

from bot.services.work import Work
from storage.tables.people import Chat, ChatState, Patient, PatientState, Person


class Urgency(IntEnum):
    """Nothing urgent waits behind something routine: the sender takes the lowest number first."""

    CRISIS = 0
    ALERT = 1
    REPLY = 2
    RECEIPT = 3
    PROMPT = 4
    DIGEST = 5


def to_person(
    work: Work, person: Person, kind: str, urgency: Urgency, *, patient: Patient | None = None,
    subject: UUID | None = None, detail: str = "", card: str | None = None, fresh: bool = True,
    expires_at: datetime | None = None,
) -> None:  # fmt: skip
    work.stores.outbox.write(
        kind=kind, urgency=urgency, chat_id=person.chat_id, person_id=person.id,
        patient_id=patient.id if patient else None, subject_id=subject, detail=detail, card=card, fresh=fresh,
        expires_at=expires_at,
    )  # fmt: skip


def to_patient(
    work: Work, patient: Patient, kind: str, urgency: Urgency, *, subject: UUID | None = None, detail: str = "",
    card: str | None = None, fresh: bool = True, expires_at: datetime | None = None,
) -> bool:  # fmt: skip
    """False when there is nobody to write to: not joined yet, deceased, or the chat is blocked."""
    person = work.stores.people.find(patient.id)
    if (
        person is None
        or patient.state == PatientState.DECEASED
        or work.stores.chats.get(person.chat_id).state != ChatState.OPEN
    ):
        return False
    to_person(
        work, person, kind, urgency, patient=patient, subject=subject, detail=detail, card=card, fresh=fresh,
        expires_at=expires_at,
    )  # fmt: skip
    return True


def to_chat(
    work: Work, chat: Chat, kind: str, urgency: Urgency, *, patient: Patient | None = None, subject: UUID | None = None,
    detail: str = "", card: str | None = None, fresh: bool = True,
) -> None:  # fmt: skip
    work.stores.outbox.write(
        kind=kind, urgency=urgency, chat_id=chat.id, patient_id=patient.id if patient else None, subject_id=subject,
        detail=detail, card=card, fresh=fresh,
    )  # fmt: skip


def reply(work: Work, kind: str, *, detail: str = "", subject: UUID | None = None, card: str | None = None,
          fresh: bool = True, patient: Patient | None = None) -> None:  # fmt: skip
    """A letter to the chat that the update came from, or, when that is a group, to the person's own: what is said
    about patients is said in private. After a death only the numbers still answer on that phone.
    """
    from_patient = work.caller.patient
    if kind != "help.numbers" and from_patient is not None and from_patient.state == PatientState.DECEASED:
        return
    person = work.caller.person
    chat_id = person.chat_id if person is not None and work.chat().is_group else work.chat().id
    work.stores.outbox.write(
        kind=kind, urgency=Urgency.REPLY, chat_id=chat_id, person_id=work.caller.id,
        patient_id=patient.id if patient else None, subject_id=subject, detail=detail, card=card, fresh=fresh,
    )  # fmt: skip
