"""When a check-in is due: the only place, with the letters, where a patient's time zone exists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.clinical.diary import Infusion
from bot.clinical.protocol import Part, Protocol, Recurring, Since, Slot

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
    daily_until: date | None = None,
) -> tuple[PlannedCheckIn, ...]:
    """All check-ins of the days `first` to `last`: at most one per day and slot, whatever the zone does.

    `last_given` has the day of the last answer to an instrument; what is planned here counts as answered for the days
    after it. Until `daily_until` there is a check-in every day, wherever the protocol stands.
    """
    given = sorted(infusions, key=lambda infusion: (infusion.day, infusion.number))
    answered = dict(last_given or {})
    planned: list[PlannedCheckIn] = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if day < enrolled_on or (discharged_on is not None and day > discharged_on):
            continue
        until_now = [infusion for infusion in given if infusion.day <= day]
        started = {Since.ENROLMENT: enrolled_on, Since.INFUSION: until_now[0].day if until_now else None}
        recurring = _recurring(protocol, day, preferences, started, answered)
        latest = until_now[-1] if until_now else None
        daily = daily_until is not None and day <= daily_until
        for slot, at, parts in _of_day(protocol, day, latest, preferences, recurring, answered, daily=daily):
            planned.append(_planned(protocol, day, slot, at, _joined(parts), latest, preferences))
            answered |= {part.instrument: day for part in parts}
    return tuple(planned)


Asked = tuple[str, time | None, tuple[Part, ...]]  # slot, hour, parts


def _of_day(
    protocol: Protocol, day: date, latest: Infusion | None, preferences: Preferences, recurring: tuple[Part, ...],
    answered: Mapping[str, date], *, daily: bool,
) -> list[Asked]:  # fmt: skip
    if latest is None:
        return [("daily", None, (*protocol.before, *recurring))]
    number = (day - latest.day).days
    slots = [slot for slot in protocol.slots if slot.first_day <= number <= slot.last_day]
    if slots:
        return [
            (slot.name, slot.at, (*slot.parts, *_older(slot, day, answered), *(recurring if slot is slots[0] else ())))
            for slot in slots
        ]
    if day.weekday() == preferences.weekday:
        return [("weekly", None, (*protocol.weekly_after, *recurring))]
    return [("daily", None, (*protocol.before, *recurring))] if daily else []


def _older(slot: Slot, day: date, answered: Mapping[str, date]) -> tuple[Part, ...]:
    return tuple(part for part, days in slot.when_older if (day - answered.get(part.instrument, date.min)).days > days)


def _recurring(
    protocol: Protocol, day: date, preferences: Preferences, started: Mapping[Since, date | None],
    answered: Mapping[str, date],
) -> tuple[Part, ...]:  # fmt: skip
    return tuple(
        entry.part
        for entry in protocol.recurring
        if _is_due(entry, day, answered.get(entry.part.instrument), started[entry.since], preferences.weekday)
    )


def _is_due(entry: Recurring, day: date, answered: date | None, started: date | None, weekday: int) -> bool:
    if started is None:
        return False
    if answered is None and entry.first_after_weeks == 0:
        return True
    if day.weekday() != weekday:
        return False
    if answered is None:
        return (day - started).days >= WEEK * entry.first_after_weeks - 1
    return entry.every_weeks is not None and (day - answered).days >= WEEK * entry.every_weeks - 1


def _joined(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple({part.instrument: part for part in parts}.values())


def _planned(
    protocol: Protocol, day: date, slot: str, at: time | None, parts: tuple[Part, ...], latest: Infusion | None,
    preferences: Preferences,
) -> PlannedCheckIn:  # fmt: skip
    due = local_instant(day, at or preferences.hour, preferences.zone)
    ends = day_ends(day, preferences.zone)
    if due >= ends:  # the calendar skipped the night in which it would have been asked (Kwajalein, 1993)
        due = ends - timedelta(hours=1)
    return PlannedCheckIn(
        day=day, slot=slot, due_at=due, remind_at=min(due + timedelta(hours=protocol.remind_after_hours), ends),
        expires_at=ends, parts=parts, infusion=latest.number if latest else None,
        day_number=(day - latest.day).days if latest else None,
    )  # fmt: skip
