"""R1 loss of response, R2 drop below the own reference, R3 sharp drop, R7 fading over infusions."""

from datetime import date
from math import sqrt
from statistics import median, pstdev

from bot.clinical.diary import Diary
from bot.clinical.rules.limits import Limits
from bot.clinical.rules.reference import Reference, Series, before, references
from bot.clinical.terms import Finding, Level, Rule

SIGMA_BOUNDS = (1.0, 2.5)
Q = 0.3 * (1 - 0.2)  # autocorrelation of daily mood left in the moving average
MINIMUM_REFERENCE = 5.0  # without a "before", a reference below this has nothing to lose
NO_RESPONSE, WORSE = 1.0, -1.5
FIRST_REFERENCES = 3


def loss_of_response(diary: Diary, series: Series, limits: Limits) -> Finding | None:
    """R1. ORANGE when the gain is half gone on 3 of the last 5 answered days, the latest among them."""
    known = references(diary, series)
    if not known or not series or series[-1][0] <= known[-1].last_day:
        return None
    reference, start = known[-1], before(diary, series)
    limit = _loss_limit(reference, start, limits)
    if limit is None:
        return None
    after = [(day, mood) for day, mood in series if day > reference.last_day]
    window = after[-int(limits.loss_window) :]
    below = [day for day, mood in window if mood < limit]
    if len(below) < limits.loss_days or window[-1][1] >= limit:
        return None
    return _finding(
        Rule.LOSS_OF_RESPONSE, Level.ORANGE, "r1.lost", series,
        reference=round(reference.mean, 1), limit=round(limit, 1), days=len(below), of=len(window),
    )  # fmt: skip


def _loss_limit(reference: Reference, start: float | None, limits: Limits) -> float | None:
    if start is None:
        margin = max(limits.loss_margin_without_before, 1.5 * reference.s)
        return reference.mean - margin if reference.mean >= MINIMUM_REFERENCE else None
    gain = reference.mean - start
    if gain < limits.minimum_gain:
        return None
    return min(start + gain / 2, reference.mean - max(limits.loss_margin, reference.s))


def no_gain(diary: Diary, series: Series) -> Finding | None:
    """R1 where there was nothing to lose: NOTE without a response, YELLOW when it got worse since treatment."""
    known, start = references(diary, series), before(diary, series)
    if not known or start is None or series[-1][0] != known[-1].last_day:
        return None
    gain = known[-1].mean - start
    if gain >= NO_RESPONSE:
        return None
    level, reason = (Level.YELLOW, "r1.worse") if gain <= WORSE else (Level.NOTE, "r1.none")
    return _finding(
        Rule.LOSS_OF_RESPONSE, level, reason, series, reference=round(known[-1].mean, 1), before=round(start, 1)
    )


def drop_below_reference(diary: Diary, series: Series, limits: Limits) -> Finding | None:
    """R2. One-sided EWMA of mood against the own reference; YELLOW on two answered days below the limit in a row."""
    known = references(diary, series)
    after = [mood for day, mood in series if known and day > known[-1].last_day]
    if not known or not after:
        return None
    reference, weight = known[-1], limits.ewma_weight
    low, high = SIGMA_BOUNDS
    sigma = min(max(reference.s, low), high) * sqrt((1 + Q) / (1 - Q))
    z, below, limit = reference.mean, 0, reference.mean
    for t, mood in enumerate(after, 1):
        z = weight * mood + (1 - weight) * z
        width = limits.ewma_width * sigma * sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * t)))
        limit = min(reference.mean - width, reference.mean - limits.ewma_minimum)
        below = below + 1 if z < limit else 0
    if below < 2:  # noqa: PLR2004 - two in a row
        return None
    return _finding(
        Rule.DROP_BELOW_REFERENCE, Level.YELLOW, "r2.below", series,
        average=round(z, 1), reference=round(reference.mean, 1), limit=round(limit, 1), days=below,
    )  # fmt: skip


def sharp_drop(series: Series, limits: Limits) -> Finding | None:
    """R3. A fall far below the last week's median: YELLOW, twice in a row ORANGE; very low twice in a row."""
    last, earlier = _drop(series, limits), _drop(series[:-1], limits)
    if last is not None:
        level = Level.ORANGE if earlier is not None else Level.YELLOW
        return _finding(Rule.SHARP_DROP, level, "r3.sharp", series, median=round(last, 1))
    moods = [mood for _, mood in series]
    if len(moods) > 2 and max(moods[-2:]) <= limits.very_low:  # noqa: PLR2004 - the last two of at least three
        usual = median(moods[-15:-1])
        if moods[-1] <= usual - 2 or moods[-2] <= usual - 2:
            return _finding(Rule.SHARP_DROP, Level.ORANGE, "r3.very_low", series, median=round(usual, 1))
        return _finding(Rule.SHARP_DROP, Level.NOTE, "r3.low", series, median=round(usual, 1))
    return None


def _drop(series: Series, limits: Limits) -> float | None:
    """The median that the last mood fell far below; None when it did not."""
    moods = [mood for _, mood in series]
    week = moods[-8:-1]
    if len(week) < 4:  # noqa: PLR2004 - a median of fewer days says little
        return None
    usual = median(week)
    size = max(limits.sharp_drop, limits.sharp_drop_sd * pstdev(moods[-15:-1]))
    return usual if moods[-1] <= usual - size else None


def fading(diary: Diary, series: Series, limits: Limits) -> Finding | None:
    """R7. The newest reference well below the median of the first three: a slow loss that R1 and R2 cannot see."""
    known = references(diary, series)
    if len(known) <= FIRST_REFERENCES or series[-1][0] != known[-1].last_day:
        return None
    first = median(reference.mean for reference in known[:FIRST_REFERENCES])
    if known[-1].mean > first - limits.fading:
        return None
    return _finding(
        Rule.FADING, Level.YELLOW, "r7.fading", series, reference=round(known[-1].mean, 1), first=round(first, 1)
    )


def _finding(rule: Rule, level: Level, reason: str, series: Series, **values: float | int) -> Finding:
    day: date = series[-1][0]
    return Finding(rule, level, reason, day, {"mood": series[-1][1], **values})
