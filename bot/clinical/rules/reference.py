"""What a patient is compared with: the days before treatment, and the first week after the last infusion."""

from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, stdev

from bot.clinical.diary import Diary

BEFORE_DAYS, BEFORE_MINIMUM = 7, 3
REFERENCE_DAYS, REFERENCE_MINIMUM = 7, 4
TYPICAL_SD = 1.3  # day-to-day deviation of mood that the individual's own is shrunk towards
TYPICAL_WEIGHT = 4

Series = list[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class Reference:
    mean: float
    s: float  # shrunken standard deviation
    last_day: date  # of the week it was taken from


def moods(diary: Diary, today: date) -> Series:
    return [(day, mood) for day, mood in diary.values("daily", "mood") if day <= today]


def before(diary: Diary, series: Series) -> float | None:
    """Mean of the last 7 answered days before the first infusion, at least 3."""
    if not diary.infusions:
        return None
    earlier = [mood for day, mood in series if day < diary.infusions[0].day][-BEFORE_DAYS:]
    return fmean(earlier) if len(earlier) >= BEFORE_MINIMUM else None


def references(diary: Diary, series: Series) -> list[Reference]:
    """One for each infusion with at least 4 answers on days 1 to 7 after it; day 0 is the drug, not the response."""
    found = []
    for index, infusion in enumerate(diary.infusions):
        last = infusion.day + timedelta(days=REFERENCE_DAYS)
        if index + 1 < len(diary.infusions):
            last = min(last, diary.infusions[index + 1].day - timedelta(days=1))
        week = [mood for day, mood in series if infusion.day < day <= last]
        if len(week) >= REFERENCE_MINIMUM:
            found.append(Reference(fmean(week), shrunken(week), last))
    return found


def shrunken(values: list[int]) -> float:
    n = len(values)
    own = stdev(values) ** 2 if n > 1 else 0.0
    return float(((TYPICAL_WEIGHT * TYPICAL_SD**2 + (n - 1) * own) / (n + TYPICAL_WEIGHT - 1)) ** 0.5)
