"""Protocols as data: which check-in on which day relative to an infusion, with which parts."""

import tomllib
from dataclasses import dataclass
from datetime import time
from importlib import resources


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


@dataclass(frozen=True, slots=True)
class Recurring:
    """A questionnaire on the patient's weekday, every so many weeks, added to that day's own check-in."""

    part: Part
    every_weeks: int


@dataclass(frozen=True, slots=True)
class Protocol:
    code: str
    before: tuple[Part, ...]  # daily from enrolment to the first infusion
    slots: tuple[Slot, ...]
    weekly_after: tuple[Part, ...]  # weekly, when the daily check-ins have ended
    recurring: tuple[Recurring, ...]
    remind_after_hours: int


def shipped() -> dict[str, Protocol]:
    files = resources.files("bot.clinical").joinpath("protocols").iterdir()
    found = [read(file.read_text(encoding="utf-8")) for file in files if file.name.endswith(".toml")]
    return {protocol.code: protocol for protocol in found}


def read(text: str) -> Protocol:
    data = tomllib.loads(text)
    return Protocol(
        code=data["code"],
        before=_parts(data["before"]),
        slots=tuple(
            Slot(slot["name"], slot["days"][0], slot["days"][1], _parts(slot["parts"]), slot.get("at"))
            for slot in data["slots"]
        ),
        weekly_after=_parts(data["weekly_after"]),
        recurring=tuple(Recurring(Part.decode(entry["part"]), entry["every_weeks"]) for entry in data["recurring"]),
        remind_after_hours=data["remind_after_hours"],
    )


def _parts(codes: list[str]) -> tuple[Part, ...]:
    return tuple(Part.decode(code) for code in codes)
