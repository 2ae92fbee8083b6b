"""The response after each infusion: gain, best week, and how long it held; honest where it cannot be said."""

from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

from bot.clinical.diary import Diary

BEFORE_DAYS, BEFORE_MINIMUM = 7, 3
REFERENCE_DAYS, REFERENCE_MINIMUM = 7, 4
DAYS_IN_A_ROW = 3  # a half gain is lost when the mean of three answered days is below it


@dataclass(frozen=True, slots=True)
class Mean:
    value: float
    answered: int
    of: int


@dataclass(frozen=True, slots=True)
class NotYet:
    """At least half the gain still holds today."""


@dataclass(frozen=True, slots=True)
class CannotSay:
    """Too few answers, or no gain to lose."""


@dataclass(frozen=True, slots=True)
class InfusionResponse:
    number: int
    day: date
    before: Mean | None
    reference: Mean | None
    gain: float | None
    half_lost: int | NotYet | CannotSay  # days after the infusion
    answered: int
    elapsed: int


def responses(diary: Diary, today: date) -> tuple[InfusionResponse, ...]:
    """One for each infusion up to today, in order. "Before" is the mean before the first infusion."""
    moods = [(day, mood) for day, mood in diary.values("daily", "mood") if day <= today]
    given = [infusion for infusion in diary.infusions if infusion.day <= today]
    found = []
    for index, infusion in enumerate(given):
        end = given[index + 1].day - timedelta(days=1) if index + 1 < len(given) else today
        before = _before(moods, given[0].day)
        after = [(day, mood) for day, mood in moods if infusion.day < day <= end]
        week = [mood for day, mood in after if day <= infusion.day + timedelta(days=REFERENCE_DAYS)]
        reference = Mean(fmean(week), len(week), REFERENCE_DAYS) if len(week) >= REFERENCE_MINIMUM else None
        gain = reference.value - before.value if reference and before else None
        found.append(
            InfusionResponse(
                infusion.number, infusion.day, before, reference, gain,
                _half_lost(before, gain, after, infusion.day, last=index + 1 == len(given)), len(after),
                max(0, (end - infusion.day).days),
            )
        )  # fmt: skip
    return tuple(found)


def _before(moods: list[tuple[date, int]], first: date) -> Mean | None:
    values = [mood for day, mood in moods if day < first][-BEFORE_DAYS:]
    return Mean(fmean(values), len(values), BEFORE_DAYS) if len(values) >= BEFORE_MINIMUM else None


def _half_lost(
    before: Mean | None, gain: float | None, after: list[tuple[date, int]], day: date, *, last: bool
) -> int | NotYet | CannotSay:
    if before is None or gain is None or gain <= 0:
        return CannotSay()
    half = before.value + gain / 2
    for index in range(len(after) - DAYS_IN_A_ROW + 1):
        window = after[index : index + DAYS_IN_A_ROW]
        if window[0][0] > day + timedelta(days=REFERENCE_DAYS - 1) and fmean(mood for _, mood in window) < half:
            return (window[0][0] - day).days
    return NotYet() if last else CannotSay()
