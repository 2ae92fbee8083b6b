"""When a check-in is due: the only place, with the letters, where a patient's time zone exists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.clinical.diary import Infusion
from bot.clinical.protocol import Part, Protocol

DAY_ENDS = time(4, 0)  # local: an answer at 00:30 belongs to yesterday's check-in
WEEK = 7


@dataclass(frozen=True, slots=True)
class Preferences:
    zone: str
    hour: time = time(16, 0)
    weekday: int = 0  # 0 Monday


@dataclass(frozen=True, slots=True)
class PlannedCheckIn:
    day: date
    slot: str
    due_at: datetime
    remind_at: datetime
    expires_at: datetime
    parts: tuple[Part, ...]
    infusion: int | None  # number of the infusion it follows
    day_number: int | None  # 0 is the infusion's day


def diary_day(moment: datetime, zone: str) -> date:
    local = moment.astimezone(ZoneInfo(zone))
    return local.date() if local.time() >= DAY_ENDS else local.date() - timedelta(days=1)


def local_instant(day: date, at: time, zone: str) -> datetime:
    """UTC of a local time on a diary day. In a gap the first valid instant after it; in a fold the first occurrence."""
    calendar = day if at >= DAY_ENDS else day + timedelta(days=1)
    wanted = datetime.combine(calendar, at, ZoneInfo(zone))
    instant = wanted.astimezone(UTC)
    if instant.astimezone(wanted.tzinfo).replace(tzinfo=None) == wanted.replace(tzinfo=None):
        return instant
    return _end_of_gap(wanted.replace(tzinfo=None), ZoneInfo(zone))


def day_ends(day: date, zone: str) -> datetime:
    return local_instant(day + timedelta(days=1), DAY_ENDS, zone)


def _end_of_gap(wanted: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which the clocks jump over `wanted`, found by halving; gaps are at most a day."""
    low = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC) - timedelta(days=1)
    high = low + timedelta(days=2)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < wanted:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def plan(
    protocol: Protocol,
    *,
    infusions: Sequence[Infusion],
    preferences: Preferences,
    enrolled_on: date,
    first: date,
    last: date,
    discharged_on: date | None = None,
    last_given: Mapping[str, date] | None = None,
) -> tuple[PlannedCheckIn, ...]:
    """All check-ins of the days `first` to `last`: at most one per day and slot, whatever the zone does."""
    given = sorted(infusions, key=lambda infusion: (infusion.day, infusion.number))
    planned: list[PlannedCheckIn] = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if day < enrolled_on or (discharged_on is not None and day > discharged_on):
            continue
        latest = next((infusion for infusion in reversed(given) if infusion.day <= day), None)
        planned += _of_day(protocol, day, latest, preferences, enrolled_on, last_given or {})
    return tuple(planned)


def _of_day(
    protocol: Protocol, day: date, latest: Infusion | None, preferences: Preferences, enrolled_on: date,
    last_given: Mapping[str, date],
) -> list[PlannedCheckIn]:  # fmt: skip
    recurring = _recurring(protocol, day, preferences, enrolled_on, last_given)
    if latest is None:
        return [_planned(protocol, day, "daily", None, (*protocol.before, *recurring), None, preferences)]
    number = (day - latest.day).days
    slots = [slot for slot in protocol.slots if slot.first_day <= number <= slot.last_day]
    if not slots and day.weekday() == preferences.weekday:
        parts = _joined((*protocol.weekly_after, *recurring))
        return [_planned(protocol, day, "weekly", None, parts, latest, preferences)]
    return [
        _planned(
            protocol,
            day,
            slot.name,
            slot.at,
            (*slot.parts, *(recurring if slot is slots[0] else ())),
            latest,
            preferences,
        )
        for slot in slots
    ]


def _recurring(
    protocol: Protocol, day: date, preferences: Preferences, enrolled_on: date, last_given: Mapping[str, date]
) -> tuple[Part, ...]:
    if day.weekday() != preferences.weekday:
        return ()
    week = (day - enrolled_on).days // WEEK
    return tuple(
        entry.part
        for entry in protocol.recurring
        if week % entry.every_weeks == 0 and (day - last_given.get(entry.part.instrument, date.min)).days >= WEEK - 1
    )


def _joined(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple({part.instrument: part for part in parts}.values())


def _planned(
    protocol: Protocol, day: date, slot: str, at: time | None, parts: tuple[Part, ...], latest: Infusion | None,
    preferences: Preferences,
) -> PlannedCheckIn:  # fmt: skip
    due = local_instant(day, at or preferences.hour, preferences.zone)
    ends = day_ends(day, preferences.zone)
    return PlannedCheckIn(
        day=day, slot=slot, due_at=due, remind_at=min(due + timedelta(hours=protocol.remind_after_hours), ends),
        expires_at=ends, parts=parts, infusion=latest.number if latest else None,
        day_number=(day - latest.day).days if latest else None,
    )  # fmt: skip
