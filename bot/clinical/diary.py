"""The diary of one patient as plain values: what rules judge and exports print.

Days are diary days (they end at 04:00 in the patient's zone); moments are aware datetimes in UTC. Missing is None,
never zero, and never imputed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from bot.clinical.terms import Level, Mode, Outcome, Phase, Rule


@dataclass(frozen=True, slots=True)
class Response:
    """One answer to one item. The newest revision counts; older ones stay visible."""

    instrument: str
    version: str
    item: str
    value: int | None  # None: the patient skipped the item
    revision: int  # 1 for the first answer
    answered_at: datetime
    mode: Mode = Mode.TAP


@dataclass(frozen=True, slots=True)
class CheckIn:
    ref: str
    slot: str  # the protocol's name for it: "daily", "morning", "evening", "weekly", "baseline", "safety"
    day: date
    due_at: datetime
    outcome: Outcome
    prompted_at: datetime | None = None
    shown_at: datetime | None = None
    finished_at: datetime | None = None
    responses: tuple[Response, ...] = ()

    def answers(self, instrument: str) -> dict[str, int | None]:
        """The newest revision of each item of one instrument; None where it was skipped."""
        newest: dict[str, Response] = {}
        for response in self.responses:
            if response.instrument != instrument:
                continue
            known = newest.get(response.item)
            if known is None or response.revision > known.revision:
                newest[response.item] = response
        return {item: response.value for item, response in newest.items()}


@dataclass(frozen=True, slots=True)
class Infusion:
    number: int  # 1 for the first one of the course
    given_at: datetime
    day: date
    phase: Phase
    dose_mg_per_kg: float | None = None
    systolic: int | None = None  # mmHg, as the clinic entered it
    diastolic: int | None = None


@dataclass(frozen=True, slots=True)
class AlertEntry:
    code: str
    rule: Rule
    level: Level
    reason: str  # text key of the first finding at the highest level
    values: dict[str, float | int | str]
    day: date
    raised_at: datetime
    acknowledged_at: datetime | None = None
    contacted_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    note: str = ""  # what whoever closed it wrote


@dataclass(frozen=True, slots=True)
class Note:
    written_at: datetime
    day: date
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """A dated entry beside the answers: medication change, hospital stay, pause, travel, clinician-entered total."""

    day: date
    kind: str
    text: str = ""
    until: date | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Diary:
    """Everything one patient's record says, oldest first in every tuple."""

    patient: str  # the clinic's code, "P-0001"
    zone: str  # IANA name
    language: str
    enrolled_on: date
    infusions: tuple[Infusion, ...] = ()
    check_ins: tuple[CheckIn, ...] = ()
    alerts: tuple[AlertEntry, ...] = ()
    notes: tuple[Note, ...] = ()
    events: tuple[Event, ...] = ()
    planned: tuple[date, ...] = ()  # infusions to come

    def values(self, instrument: str, item: str) -> Iterator[tuple[date, int]]:
        """One answered value per diary day, the latest check-in of the day; skipped and proxy answers left out."""
        days: dict[date, int] = {}
        for check_in in self.check_ins:
            newest: Response | None = None
            for response in check_in.responses:
                if (
                    response.instrument == instrument
                    and response.item == item
                    and (newest is None or response.revision > newest.revision)
                ):
                    newest = response
            if newest is not None and newest.value is not None and newest.mode in (Mode.TAP, Mode.TYPED):
                days[check_in.day] = newest.value
        return iter(sorted(days.items()))
