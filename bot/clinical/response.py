"""The response after each infusion: gain, best week, and how long it held; honest where it cannot be said."""

from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

from bot.clinical.diary import Diary, Infusion
from bot.clinical.rules.limits import Limits
from bot.clinical.rules.past import Past, Series
from bot.clinical.rules.silence import UNSEEN

DEFAULTS = Limits()
BEFORE_DAYS, BEFORE_MINIMUM = DEFAULTS.before_days, DEFAULTS.before_answers
REFERENCE_DAYS, REFERENCE_MINIMUM = DEFAULTS.reference_days, DEFAULTS.reference_answers
DAYS_IN_A_ROW = 3  # a half gain is lost when the mean of three answered days is below it
WEEK = 7
REMISSION = 5  # PHQ-9 below it
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Mean:
    value: float
    answered: int
    of: int


@dataclass(frozen=True, slots=True)
class NotYet:
    """At least half the gain still held on the last day looked at: today, or the day before the next infusion."""


@dataclass(frozen=True, slots=True)
class CannotSay:
    """Too few answers, or no gain to lose."""


@dataclass(frozen=True, slots=True)
class BestWeek:
    """Seven calendar days with the highest mean; `first_day` counts from the infusion, which is day 0."""

    first_day: int
    mean: Mean


@dataclass(frozen=True, slots=True)
class Phq9:
    """Totals between this infusion and the next, against the last one before the first infusion."""

    before: int
    best: int
    latest: int

    @property
    def response(self) -> bool:
        """At least halved now."""
        return self.latest <= HALF * self.before

    @property
    def remission(self) -> bool:
        return self.latest < REMISSION


@dataclass(frozen=True, slots=True)
class InfusionResponse:
    number: int
    day: date
    before: Mean | None
    reference: Mean | None
    gain: float | None
    half_lost: int | NotYet | CannotSay  # days after the infusion
    half_lost_earliest: int | None  # it happened between this day and `half_lost`: the days between have no answer
    best_week: BestWeek | None
    phq9: Phq9 | None
    answered: int
    asked: int  # days on which a check-in reached the patient
    elapsed: int


def responses(diary: Diary, today: date) -> tuple[InfusionResponse, ...]:
    """One for each infusion up to today, in order. "Before" is the mean before the first infusion."""
    past = Past.of(diary, today)
    given = [infusion for infusion in diary.infusions if infusion.day <= today]
    ends = [infusion.day - timedelta(days=1) for infusion in given[1:]] + [today]
    return tuple(_response(diary, past, infusion, end) for infusion, end in zip(given, ends, strict=False))


def _response(diary: Diary, past: Past, infusion: Infusion, end: date) -> InfusionResponse:
    before = _before(past)
    after = tuple((day, mood) for day, mood in past.moods if infusion.day < day <= end)
    week = [mood for day, mood in after if day <= infusion.day + timedelta(days=REFERENCE_DAYS)]
    reference = Mean(fmean(week), len(week), REFERENCE_DAYS) if len(week) >= REFERENCE_MINIMUM else None
    gain = reference.value - before.value if reference and before else None
    half_lost, earliest = _half_lost(before, gain, after, infusion.day, end)
    return InfusionResponse(
        infusion.number, infusion.day, before, reference, gain, half_lost, earliest,
        _best_week(after, infusion.day, end), _phq9(past, infusion.day, end), len(after),
        _asked(diary, infusion.day, end, after), max(0, (end - infusion.day).days),
    )  # fmt: skip


def _before(past: Past) -> Mean | None:
    values = [mood for day, mood in past.moods if day < past.infusions[0]][-BEFORE_DAYS:]
    return Mean(fmean(values), len(values), BEFORE_DAYS) if len(values) >= BEFORE_MINIMUM else None


def _half_lost(
    before: Mean | None, gain: float | None, after: Series, day: date, end: date
) -> tuple[int | NotYet | CannotSay, int | None]:
    if before is None or gain is None or gain <= 0:
        return CannotSay(), None
    half = before.value + HALF * gain
    for index in range(len(after) - DAYS_IN_A_ROW + 1):
        window = after[index : index + DAYS_IN_A_ROW]
        if window[0][0] >= day + timedelta(days=WEEK) and fmean(mood for _, mood in window) < half:
            last_before = after[index - 1][0] if index else day
            return (window[0][0] - day).days, (last_before - day).days + 1
    lately = [answered for answered, _ in after if answered > end - timedelta(days=WEEK)]
    return (NotYet() if len(lately) >= DAYS_IN_A_ROW else CannotSay()), None


def _best_week(after: Series, day: date, end: date) -> BestWeek | None:
    """The earliest of the best; only whole weeks with as many answers as a reference needs."""
    weeks = []
    mood_on = {(answered - day).days: mood for answered, mood in after}
    for first in range(1, (end - day).days - WEEK + 2):
        moods = [mood_on[since] for since in range(first, first + WEEK) if since in mood_on]
        if len(moods) >= REFERENCE_MINIMUM:
            weeks.append(BestWeek(first, Mean(fmean(moods), len(moods), WEEK)))
    return max(weeks, key=lambda week: week.mean.value, default=None)


def _phq9(past: Past, day: date, end: date) -> Phq9 | None:
    before = [score for scored, score in past.phq9 if scored <= past.infusions[0]]
    after = [score for scored, score in past.phq9 if day < scored <= end]
    return Phq9(before[-1], min(after), after[-1]) if before and after else None


def _asked(diary: Diary, day: date, end: date, after: Series) -> int:
    reached = {
        check_in.day for check_in in diary.check_ins if day < check_in.day <= end and check_in.outcome not in UNSEEN
    }
    return len(reached | {answered for answered, _ in after})
