"""Where the time axis is labelled: days, weeks, months or years, whatever gives about a dozen labels."""

from collections.abc import Iterator
from datetime import date, timedelta

from bot.exports.wording import Voice

A_FEW_DAYS, SOME_WEEKS, ABOUT_A_YEAR, A_FEW_YEARS = 14, 75, 430, 1100  # days shown


def ticks(first: date, last: date, voice: Voice) -> list[dict[str, object]]:
    """A month's label stands after its tick, within the month; a day's below it."""
    within = (last - first).days > SOME_WEEKS
    return [{"at": (day - first).days, "label": label, "within": within} for day, label in _labels(first, last, voice)]


def _labels(first: date, last: date, voice: Voice) -> Iterator[tuple[date, str]]:
    span = (last - first).days
    if span <= SOME_WEEKS:
        every = 1 if span <= A_FEW_DAYS / 2 else 2 if span <= A_FEW_DAYS else 7
        for place in range(0, span + 1, every):
            day = first + timedelta(days=place)
            yield day, voice.short_day(day)
        return
    every_months = 1 if span <= ABOUT_A_YEAR else 3 if span <= A_FEW_YEARS else 6
    for day in _firsts_of_months(first, last):
        if (day.month - 1) % every_months == 0:
            yield day, str(day.year) if day.month == 1 else voice.month(day)


def _firsts_of_months(first: date, last: date) -> Iterator[date]:
    day = first if first.day == 1 else (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    while day <= last:
        yield day
        day = (day + timedelta(days=32)).replace(day=1)
