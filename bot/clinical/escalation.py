"""Who is paged, and when again, while nobody has taken an alert (docs/clinical.md, "Escalation")."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the moment the clock of an alert starts."""

    repeat: int
    next_person: int
    second_road: int
    second_road_unsent: int  # the same, when Telegram has not taken the page
    everybody: int
    repeat_at_last: int  # once everybody is paged, for ever


@dataclass(frozen=True, slots=True)
class Step:
    """`reach` people from the top of the rota are paged now, or everybody when it is None."""

    reach: int | None
    repeat: int  # who was paged within these seconds is not paged again yet
    next_at: datetime


def step(times: Times, started: datetime, now: datetime) -> Step:
    """The step that is due at `now`. Steps that were missed while nothing ran are made up for by the widest of them."""
    elapsed = max(0, int((now - started).total_seconds()))
    at_last = elapsed >= times.everybody
    if at_last:
        beyond = elapsed - times.everybody
        later = [times.everybody + (beyond // times.repeat_at_last + 1) * times.repeat_at_last]
    else:
        later = [(elapsed // every + 1) * every for every in (times.repeat, times.next_person)]
    later += [once for once in (times.second_road_unsent, times.second_road, times.everybody) if once > elapsed]
    return Step(
        reach=None if at_last else 1 + elapsed // times.next_person,
        repeat=times.repeat_at_last if at_last else times.repeat,
        next_at=started + timedelta(seconds=min(later)),
    )


def next_working_moment(now: datetime, days: Sequence[int], opens: time, closes: time, zone: str) -> datetime:
    """`now` itself in working hours, else the next opening. `days` has 0 for Monday and is not empty."""
    local = now.astimezone(ZoneInfo(zone))
    if local.weekday() in days and opens <= local.time() < closes:
        return now
    day = local.date() if local.time() < opens else local.date() + timedelta(days=1)
    while day.weekday() not in days:
        day += timedelta(days=1)
    return datetime.combine(day, opens, ZoneInfo(zone)).astimezone(now.tzinfo)


def next_working_day(now: datetime, days: Sequence[int], opens: time, closes: time, zone: str) -> datetime:
    """The first opening after today."""
    local = now.astimezone(ZoneInfo(zone))
    tomorrow = datetime.combine(local.date() + timedelta(days=1), time(0, 0), ZoneInfo(zone)).astimezone(now.tzinfo)
    return next_working_moment(tomorrow, days, opens, closes, zone)
