"""Protocols as data: which check-in on which day relative to an infusion, with which parts."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any

from bot.clinical.data import BadFile


class ProtocolError(BadFile):
    """A protocol that cannot be used."""


@dataclass(frozen=True, slots=True)
class Part:
    """One instrument of a check-in, whole or some of its items."""

    instrument: str
    version: str
    items: tuple[str, ...] = ()

    def encode(self) -> str:
        return f"{self.instrument}@{self.version}" + (f":{','.join(self.items)}" if self.items else "")

    @classmethod
    def decode(cls, text: str) -> "Part":
        name, _, items = text.partition(":")
        instrument, _, version = name.partition("@")
        return cls(instrument, version, tuple(items.split(",")) if items else ())


@dataclass(frozen=True, slots=True)
class Slot:
    """`days` counts from the infusion (0 its day); `at` is local, None the patient's own hour."""

    name: str
    first_day: int
    last_day: int
    parts: tuple[Part, ...]
    at: time | None = None
    when_older: tuple[tuple[Part, int], ...] = ()  # asked too when the last answer is older than so many days


class Since(StrEnum):
    ENROLMENT = "enrolment"
    INFUSION = "infusion"  # the first one


@dataclass(frozen=True, slots=True)
class Recurring:
    """A questionnaire added to a day's own check-in: on the patient's weekday every so many weeks, or just once.

    What was never answered and is due from the start is asked on any day, so that a missed first day loses nothing.
    """

    part: Part
    every_weeks: int | None  # None: once
    first_after_weeks: int = 0
    since: Since = Since.ENROLMENT


@dataclass(frozen=True, slots=True)
class Protocol:
    code: str
    before: tuple[Part, ...]  # daily from enrolment to the first infusion
    slots: tuple[Slot, ...]
    weekly_after: tuple[Part, ...]  # weekly, when the daily check-ins have ended
    recurring: tuple[Recurring, ...]
    remind_after_hours: int

    def parts(self) -> Iterable[Part]:
        """Every part that this protocol can ask."""
        yield from (*self.before, *self.weekly_after, *(entry.part for entry in self.recurring))
        for slot in self.slots:
            yield from (*slot.parts, *(part for part, _ in slot.when_older))


def load(clinic_folder: Path | None = None) -> dict[str, Protocol]:
    """The shipped protocols and those of the clinic's own folder, each under a code of its own."""
    shipped = resources.files("bot.clinical").joinpath("protocols").iterdir()
    texts = [(file.name, file.read_text(encoding="utf-8")) for file in shipped if file.name.endswith(".toml")]
    if clinic_folder is not None:
        texts += [(str(file), file.read_text(encoding="utf-8")) for file in sorted(clinic_folder.glob("*.toml"))]
    known: dict[str, Protocol] = {}
    for name, text in texts:
        protocol = read(text, name)
        if protocol.code in known:
            raise ProtocolError(name, "code", protocol.code, "a code that no other protocol has")
        known[protocol.code] = protocol
    return known


def read(text: str, file: str) -> Protocol:
    """Raises `ProtocolError` for the first thing that is wrong."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProtocolError(file, "file", str(error), "valid TOML") from None
    for key in ("code", "before", "slots", "weekly_after", "recurring", "remind_after_hours"):
        if key not in data:
            raise ProtocolError(file, key, None, "a value")
    return Protocol(
        code=data["code"], before=_parts(data["before"], file, "before"),
        slots=tuple(_slot(entry, file) for entry in data["slots"]),
        weekly_after=_parts(data["weekly_after"], file, "weekly_after"),
        recurring=tuple(_recurring(entry, file) for entry in data["recurring"]),
        remind_after_hours=data["remind_after_hours"],
    )  # fmt: skip


def _slot(entry: dict[str, Any], file: str) -> Slot:
    name, days, at = entry.get("name"), entry.get("days", []), entry.get("at")
    if not isinstance(name, str):
        raise ProtocolError(file, "slots.name", name, "a name")
    if [type(day) for day in days] != [int, int] or not 0 <= days[0] <= days[1]:
        raise ProtocolError(file, f"slots.{name}.days", days, "the first and the last day, counted from the infusion")
    if at is not None and not isinstance(at, time):
        raise ProtocolError(file, f"slots.{name}.at", at, "a time such as 08:00:00")
    older = tuple((Part.decode(code), int(after)) for code, after in entry.get("when_older_than_days", {}).items())
    return Slot(name, days[0], days[1], _parts(entry.get("parts", []), file, f"slots.{name}.parts"), at, older)


def _recurring(entry: dict[str, Any], file: str) -> Recurring:
    weeks, once = entry.get("every_weeks"), entry.get("once", False)
    if once == isinstance(weeks, int) or (isinstance(weeks, int) and weeks < 1):
        raise ProtocolError(file, "recurring", entry, "either every_weeks, 1 or more, or once = true")
    try:
        since = Since(entry.get("since", "enrolment"))
    except ValueError:
        raise ProtocolError(file, "recurring.since", entry.get("since"), "enrolment or infusion") from None
    part = _parts([entry.get("part", "")], file, "recurring.part")[0]
    return Recurring(part, None if once else weeks, int(entry.get("first_after_weeks", 0)), since)


def _parts(codes: list[str], file: str, key: str) -> tuple[Part, ...]:
    parts = tuple(Part.decode(code) for code in codes)
    for part, code in zip(parts, codes, strict=True):
        if not (part.instrument and part.version):
            raise ProtocolError(file, key, code, "an instrument and its version, such as daily@1")
    return parts
