"""Chats, people, invitations, the rota and dialogues, by name."""

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import and_, bindparam, delete, func, select
from sqlalchemy.orm import Session

from storage.crypto import Sealer
from storage.stores.agenda import NEEDS_A_PLAN
from storage.stores.keys import INDEX_SUBJECT
from storage.tables.people import (
    STAFF,
    Chat,
    ChatState,
    Dialogue,
    Invite,
    Patient,
    PatientLimit,
    PatientState,
    Person,
    Role,
    RotaPlace,
)

NUMBERED = re.compile(r"P[-–\s]*([0-9]{1,9})")
CHATS_SUBJECT = "chats"  # chat ids outlive a role, so they are sealed for the clinic, not for a person


class Chats:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def key(self, number: int) -> str:
        """The keyed hash by which a chat is found; equal numbers give equal keys."""
        return self._sealer.index(INDEX_SUBJECT, str(number))

    def known(self, chat_key: str) -> Chat | None:
        return self._session.scalar(select(Chat).where(Chat.chat_key == chat_key))

    def get(self, chat_id: UUID) -> Chat:
        return self._session.get_one(Chat, chat_id)

    def meet(self, number: int, *, is_group: bool) -> Chat:
        """The chat with this Telegram number, new or known."""
        found = self.known(self.key(number))
        if found is not None:
            return found
        chat = Chat(
            id=uuid4(), chat_key=self.key(number), is_group=is_group, state=ChatState.OPEN, state_since=self._now
        )
        chat.sealed_number = self._seal(chat, number)
        self._session.add(chat)
        self._session.flush()
        return chat

    def number(self, chat: Chat) -> int:
        return self.open(chat.id, chat.sealed_number)

    def open(self, chat_id: UUID, sealed_number: bytes) -> int:
        return int(self._sealer.open(CHATS_SUBJECT, "chats", "number", str(chat_id), sealed_number))

    def move(self, chat: Chat, number: int) -> None:
        """A group became a supergroup: same chat, another number."""
        chat.chat_key = self.key(number)
        chat.sealed_number = self._seal(chat, number)

    def set_state(self, chat: Chat, state: ChatState) -> bool:
        """True when that is news."""
        if chat.state == state:
            return False
        chat.state, chat.state_since = state, self._now
        return True

    def nowhere(self) -> Chat:
        """A place that no letter reaches, for somebody whose chat is given up."""
        chat = Chat(id=uuid4(), chat_key=secrets.token_hex(32), is_group=False, state=ChatState.GONE,
                    state_since=self._now)  # fmt: skip
        chat.sealed_number = self._seal(chat, 0)
        self._session.add(chat)
        self._session.flush()
        return chat

    def forget(self, chat: Chat) -> None:
        chat.chat_key, chat.sealed_number = secrets.token_hex(32), self._seal(chat, 0)
        chat.state, chat.state_since = ChatState.GONE, self._now

    def team(self) -> Sequence[Chat]:
        """The care team's group chats that can be reached."""
        return self._session.scalars(select(Chat).where(Chat.is_group, Chat.state == ChatState.OPEN)).all()

    def _seal(self, chat: Chat, number: int) -> bytes:
        return self._sealer.seal(CHATS_SUBJECT, "chats", "number", str(chat.id), str(number))


class Met(NamedTuple):
    """A chat, whose it is, and the patient if it is one's."""

    chat: Chat
    person: Person | None
    patient: Patient | None


AT = (
    select(Chat, Person, Patient)
    .outerjoin(Person, and_(Person.chat_id == Chat.id, Person.left_at.is_(None)))
    .outerjoin(Patient, Patient.id == Person.id)
    .where(Chat.chat_key == bindparam("chat_key"))
)


LIMITS_OF = select(PatientLimit.name, PatientLimit.value).where(PatientLimit.patient_id == bindparam("patient"))


class People:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def get(self, person_id: UUID) -> Person:
        return self._session.get_one(Person, person_id)

    def find(self, person_id: UUID) -> Person | None:
        return self._session.get(Person, person_id)

    def at(self, chat_key: str) -> Met | None:
        """Who is met in a chat; None for a chat that is not known."""
        row = self._session.execute(AT, {"chat_key": chat_key}).one_or_none()
        return Met(*row) if row is not None else None

    def in_chat(self, chat: Chat) -> Person | None:
        return self._session.scalar(select(Person).where(Person.chat_id == chat.id, Person.left_at.is_(None)))

    def add(self, *, role: Role, chat: Chat, name: str, language: str, person_id: UUID | None = None) -> Person:
        person = Person(
            id=person_id or uuid4(), role=role, chat_id=chat.id, language=language, joined_at=self._now, left_at=None
        )
        person.sealed_name = self._sealer.seal(str(person.id), "people", "name", str(person.id), name)
        self._session.add(person)
        self._session.flush()
        return person

    def leave(self, person: Person, nowhere: Chat) -> None:
        """The person is gone, name and all; the row stays because others name it."""
        person.left_at, person.sealed_name, person.chat_id = self._now, b"", nowhere.id

    def name(self, person: Person) -> str:
        return self._sealer.open(str(person.id), "people", "name", str(person.id), person.sealed_name)

    def staff(self) -> Sequence[Person]:
        return self._session.scalars(
            select(Person).where(Person.role.in_(STAFF), Person.left_at.is_(None)).order_by(Person.joined_at, Person.id)
        ).all()

    def admins(self) -> Sequence[Person]:
        return [person for person in self.staff() if person.role == Role.ADMIN]

    def set_limit(self, patient_id: UUID, name: str, value: float, by: UUID) -> None:
        found = self._session.scalar(
            select(PatientLimit).where(PatientLimit.patient_id == patient_id, PatientLimit.name == name)
        )
        row = found or PatientLimit(id=uuid4(), patient_id=patient_id, name=name)
        row.value, row.set_by, row.set_at = value, by, self._now
        self._session.add(row)

    def clear_limit(self, patient_id: UUID, name: str) -> None:
        self._session.execute(
            delete(PatientLimit).where(PatientLimit.patient_id == patient_id, PatientLimit.name == name)
        )

    def limits(self, patient_id: UUID) -> dict[str, float]:
        return {row.name: row.value for row in self._session.execute(LIMITS_OF, {"patient": patient_id})}


class Patients:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def add(self, *, code: str, zone: str, hour: int, country: str, protocol: str) -> Patient:
        patient = Patient(
            id=uuid4(),
            code=code,
            state=PatientState.INVITED,
            zone=zone,
            hour=hour,
            weekday=0,
            country=country,
            protocol=protocol,
            created_at=self._now,
        )
        self._session.add(patient)
        self._session.flush()
        return patient

    def get(self, patient_id: UUID) -> Patient:
        return self._session.get_one(Patient, patient_id)

    def by_code(self, code: str) -> Patient | None:
        """By the code as people write it: «p0001» and «p-1» mean P-0001, unless that is somebody's very code."""
        written = code.strip().upper()
        numbered = NUMBERED.fullmatch(written)
        for wanted in (written, *([f"P-{int(numbered[1]):04d}"] if numbered else [])):
            found = self._session.scalar(select(Patient).where(func.upper(Patient.code) == wanted))
            if found is not None:
                return found
        return None

    def all(self) -> Sequence[Patient]:
        """Everybody but those who were erased."""
        return self._session.scalars(
            select(Patient).where(Patient.state != PatientState.ERASED).order_by(Patient.code)
        ).all()

    def count(self) -> int:
        return self._session.scalar(select(func.count()).select_from(Patient)) or 0

    def needing_a_plan(self, until: date, limit: int = 10) -> Sequence[Patient]:
        """Patients who are asked, and whose check-ins are planned for fewer days than `until`."""
        return self._session.scalars(select(Patient).where(*NEEDS_A_PLAN).limit(limit), {"plans_until": until}).all()

    def whose_state_ends(self, now: datetime, limit: int = 10) -> Sequence[Patient]:
        return self._session.scalars(select(Patient).where(Patient.state_until <= now).limit(limit)).all()

    def empty(self, patient: Patient, *, zone: str, country: str) -> None:
        """Takes off the row what says anything about the person; `zone` and `country` are the clinic's."""
        patient.sealed_contact = patient.sealed_plan = None
        patient.zone, patient.country, patient.hour, patient.weekday = zone, country, 0, 0
        patient.enrolled_on = patient.planned_until = None

    def contact(self, patient: Patient) -> dict[str, str]:
        """Phone, address, emergency contact: what the patient gave at enrolment, by name."""
        if patient.sealed_contact is None:
            return {}
        opened = self._sealer.open(str(patient.id), "patients", "contact", str(patient.id), patient.sealed_contact)
        return dict(json.loads(opened))

    def set_contact(self, patient: Patient, contact: dict[str, str]) -> None:
        patient.sealed_contact = self._sealer.seal(
            str(patient.id), "patients", "contact", str(patient.id), json.dumps(contact)
        )

    def safety_plan(self, patient: Patient) -> dict[str, str]:
        """Warning signs, what helps, whom to call: in the patient's own words, by name."""
        if patient.sealed_plan is None:
            return {}
        opened = self._sealer.open(str(patient.id), "patients", "plan", str(patient.id), patient.sealed_plan)
        return dict(json.loads(opened))

    def set_safety_plan(self, patient: Patient, plan: dict[str, str]) -> None:
        patient.sealed_plan = self._sealer.seal(str(patient.id), "patients", "plan", str(patient.id), json.dumps(plan))


class Invites:
    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now

    def make(
        self, *, role: Role, expires_at: datetime, patient_id: UUID | None = None, made_by: UUID | None = None
    ) -> str:
        """The token of a new one-time invitation: 32 characters that fit a start payload. It is not kept."""
        token = secrets.token_urlsafe(24)
        self._session.add(
            Invite(
                id=uuid4(),
                token_hash=_hash(token),
                role=role,
                patient_id=patient_id,
                made_by=made_by,
                made_at=self._now,
                expires_at=expires_at,
            )
        )
        return token

    def by_token(self, token: str) -> Invite | None:
        return self._session.scalar(select(Invite).where(Invite.token_hash == _hash(token)))

    def withdraw_for(self, patient_id: UUID) -> None:
        """A newer link for the same patient makes older ones useless."""
        for invite in self._session.scalars(
            select(Invite).where(Invite.patient_id == patient_id, Invite.used_at.is_(None))
        ):
            invite.expires_at = min(invite.expires_at, self._now)


class Rota:
    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now

    def in_order(self) -> Sequence[Person]:
        """Who is paged, first to last; people who left or are away are not in it."""
        return [person for person, away_until in self.places() if away_until is None]

    def places(self) -> list[tuple[Person, datetime | None]]:
        """Everybody with a place, first to last, and until when they are away."""
        rows = self._session.execute(
            select(Person, RotaPlace.away_until)
            .join(RotaPlace, RotaPlace.person_id == Person.id)
            .where(Person.left_at.is_(None))
            .order_by(RotaPlace.place)
        )
        return [(person, until if until is not None and until > self._now else None) for person, until in rows]

    def set(self, person_ids: Sequence[UUID]) -> None:
        """The new order; whoever is not named loses the place."""
        known = {row.person_id: row for row in self._session.scalars(select(RotaPlace))}
        for person_id, row in known.items():
            if person_id not in person_ids:
                self._session.delete(row)
        for place, person_id in enumerate(person_ids, 1):
            if person_id in known:
                known[person_id].place = place
            else:
                self._session.add(RotaPlace(person_id=person_id, place=place, away_until=None))
        self._session.flush()

    def set_away(self, person_id: UUID, until: datetime | None) -> bool:
        """False for somebody without a place."""
        row = self._session.get(RotaPlace, person_id)
        if row is None:
            return False
        row.away_until = until
        self._session.flush()
        return True


FORGOTTEN = timedelta(hours=1)


class Dialogues:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._now = now

    def current(self, chat: Chat) -> tuple[str, dict[str, str]] | None:
        """The step a chat is in and its draft; None after an hour: what is typed then answers no old question."""
        row = self._session.get(Dialogue, chat.id)
        if row is None or self._now - row.since > FORGOTTEN:
            return None
        return row.step, dict(
            json.loads(self._sealer.open(CHATS_SUBJECT, "dialogues", "draft", str(chat.id), row.sealed_draft))
        )

    def enter(self, chat: Chat, step: str, draft: dict[str, str] | None = None) -> None:
        sealed = self._sealer.seal(CHATS_SUBJECT, "dialogues", "draft", str(chat.id), json.dumps(draft or {}))
        self._session.merge(Dialogue(chat_id=chat.id, step=step, sealed_draft=sealed, since=self._now))

    def leave(self, chat: Chat) -> None:
        self._session.execute(delete(Dialogue).where(Dialogue.chat_id == chat.id))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
