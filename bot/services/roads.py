"""The second road: channels beside Telegram, and lines without content that are written to them as rows."""

import re
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

import apprise

from bot.services.errors import BadChannel, NoMailRoad, NoSmsRoad
from bot.services.work import Work
from bot.settings import Roads
from storage.tables.people import Person

MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
PHONE = re.compile(r"\+?\d{7,15}")

ALERT, INCIDENT, TEST = "alert", "incident", "test"


def call(work: Work, person: Person, kind: str, subject: UUID | None = None) -> int:
    """A line to each of a person's channels; returns how many there are."""
    channels = work.stores.roads.channels_of(person.id)
    for channel in channels:
        work.stores.roads.write(kind, channel=channel, subject_id=subject)
    return len(channels)


def call_operator(work: Work, subject: UUID) -> None:
    """A line about an incident to the operator's own channels, when there are any."""
    if work.knowledge.roads.operator:
        work.stores.roads.write(INCIDENT, subject_id=subject)


def call_once(work: Work, person: Person, subject: UUID, every: int) -> int:
    """The same about an alert, unless this person was called about it within `every` seconds."""
    last = work.stores.roads.last_about(subject, person.id)
    if last is not None and (work.now - last).total_seconds() < every:
        return 0
    return call(work, person, ALERT, subject)


def covered(work: Work, people: list[Person]) -> list[Person]:
    """Those of them who have a channel."""
    return [person for person in people if work.stores.roads.channels_of(person.id)]


def read_address(work: Work, typed: str) -> str:
    """A mail address, a phone number or an apprise URL as it is kept. Raises what says how to write it."""
    said = typed.strip()
    if "://" in said:
        if apprise.Apprise.instantiate(said) is None:
            raise BadChannel
        return said
    if MAIL.fullmatch(said):
        if work.knowledge.roads.mail is None:
            raise NoMailRoad
        return said
    number = re.sub(r"[\s()/.-]", "", said)
    if PHONE.fullmatch(number):
        if work.knowledge.roads.sms is None:
            raise NoSmsRoad
        return number
    raise BadChannel


def url_of(address: str, roads: Roads) -> str | None:
    """The apprise URL of a kept address; None when the operator has taken that road away."""
    if "://" in address:
        return address
    template = roads.mail if "@" in address else roads.sms
    return template.replace("{address}", quote(address, safe="+@")) if template else None


def hint(address: str) -> str:
    """Enough to tell one's own channels apart; never a password, nor a whole number."""
    scheme, url, _ = address.partition("://")
    if url:
        return f"{scheme}://…"
    name, at, place = address.partition("@")
    return f"{name[:1]}…@{place}" if at else f"…{address[-3:]}"


def last_call(work: Work, subject: UUID) -> datetime | None:
    """When a line about this alert was last taken by a channel."""
    sent = [row.sent_at for row in work.stores.roads.about(subject) if row.sent_at is not None]
    return max(sent, default=None)
