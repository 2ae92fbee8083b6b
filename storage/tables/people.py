"""Who there is: chats, staff and patients, invitations, the rota, and what a chat is in the middle of."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table, own_id


class Role(StrEnum):
    ADMIN = "admin"
    NURSE = "nurse"
    PHYSICIAN = "physician"
    PATIENT = "patient"


STAFF = (Role.ADMIN, Role.NURSE, Role.PHYSICIAN)


class ChatState(StrEnum):
    OPEN = "open"
    BLOCKED = "blocked"  # the person blocked the bot, or the group removed it
    GONE = "gone"


class PatientState(StrEnum):
    INVITED = "invited"
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    PAUSED = "paused"
    ADMITTED = "admitted"
    DISCHARGED = "discharged"
    STOPPED = "stopped"
    DECEASED = "deceased"
    LEAVING = "leaving"  # has asked to be erased; an open alert is handed over first
    ERASED = "erased"


class Chat(Table):
    """A place letters go to. `chat_key` is the keyed hash of Telegram's chat id."""

    __tablename__ = "chats"

    id: Mapped[UUID] = own_id()
    chat_key: Mapped[str] = mapped_column(unique=True)
    sealed_number: Mapped[bytes]
    is_group: Mapped[bool] = mapped_column(default=False)
    state: Mapped[ChatState] = mapped_column(default=ChatState.OPEN)
    state_since: Mapped[datetime]


class Person(Table):
    """Staff, or a patient who has joined; a patient's row has the id of their `patients` row."""

    __tablename__ = "people"

    id: Mapped[UUID] = own_id()
    role: Mapped[Role]
    chat_id: Mapped[UUID] = mapped_column(ForeignKey("chats.id"), unique=True)
    sealed_name: Mapped[bytes]
    language: Mapped[str]
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


class Patient(Table):
    __tablename__ = "patients"

    id: Mapped[UUID] = own_id()
    code: Mapped[str] = mapped_column(unique=True)
    state: Mapped[PatientState]
    state_until: Mapped[datetime | None] = mapped_column(index=True)
    zone: Mapped[str]
    hour: Mapped[int]  # minutes after midnight, patient's zone
    weekday: Mapped[int]  # 0 Monday; the day of the weekly questionnaires
    country: Mapped[str]  # where the person is now; chooses the crisis lines
    protocol: Mapped[str]
    enrolled_on: Mapped[date | None]
    consent_version: Mapped[str | None]
    consented_at: Mapped[datetime | None]
    sealed_contact: Mapped[bytes | None]
    sealed_plan: Mapped[bytes | None]  # the safety plan in the patient's own words
    planned_until: Mapped[date | None] = mapped_column(index=True)
    created_at: Mapped[datetime]


class Invite(Table):
    """A one-time link. Only a hash of the token is kept; `patient_id` is set for patients."""

    __tablename__ = "invites"

    id: Mapped[UUID] = own_id()
    token_hash: Mapped[str] = mapped_column(unique=True)
    role: Mapped[Role]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id"))
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RotaPlace(Table):
    """The order in which staff are paged; place 1 is on call. Whoever is away keeps the place and is passed over."""

    __tablename__ = "rota"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    place: Mapped[int]
    away_until: Mapped[datetime | None]
    __table_args__ = (Index(None, "place"),)


class Dialogue(Table):
    """What a chat is in the middle of, when the next text or tap needs that: a step name and a sealed draft."""

    __tablename__ = "dialogues"

    chat_id: Mapped[UUID] = mapped_column(ForeignKey("chats.id"), primary_key=True)
    step: Mapped[str]
    sealed_draft: Mapped[bytes]
    since: Mapped[datetime]


class PatientLimit(Table):
    """A limit of an alert rule changed for one patient."""

    __tablename__ = "patient_limits"

    id: Mapped[UUID] = own_id()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    name: Mapped[str]
    value: Mapped[float]
    set_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    set_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("patient_id", "name"),)
