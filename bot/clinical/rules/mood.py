"""R1 loss of response, R2 drop below the own reference, R3 sharp drop, R7 fading over infusions."""

from datetime import timedelta
from math import sqrt
from statistics import median

from bot.clinical.rules.limits import Limits
from bot.clinical.rules.past import Past
from bot.clinical.rules.reference import Own, Reference, deviation, is_first_look, mean
from bot.clinical.terms import Finding, Level, Rule

WEEK, TWO_WEEKS = 7, 14


def loss_of_response(past: Past, own: Own, limits: Limits) -> Finding | None:
    """R1. ORANGE when half the gain is gone on 3 of the last 5 answered days, the latest among them."""
    reference, limit = own.reference, loss_limit(own, limits)
    if reference is None or limit is None:
        return None
    window = [mood for day, mood in past.moods[-limits.loss_window :] if day > reference.last_day]
    below = sum(mood < limit for mood in window)
    if below < limits.loss_days or window[-1] >= limit:
        return None
    return _finding(
        Rule.LOSS_OF_RESPONSE, Level.ORANGE, "r1.lost" if own.before is not None else "r1.lost_without_before", past,
        reference=round(reference.mean, 1), limit=round(limit, 1), days=below, of=len(window),
    )  # fmt: skip


def loss_limit(own: Own, limits: Limits) -> float | None:
    """None: R1 cannot alarm."""
    reference, gain = own.reference, own.gain
    if reference is None:
        return None
    if own.before is None or gain is None:
        margin = max(limits.loss_margin_without_before, limits.loss_sd_without_before * reference.s)
        return reference.mean - margin if reference.mean >= limits.minimum_reference else None
    if gain < limits.minimum_gain:
        return None
    margin = max(limits.loss_margin, limits.loss_sd * reference.s)
    return min(reference.mean - limits.loss_of_gain * gain, reference.mean - margin)


def no_gain(past: Past, own: Own, limits: Limits) -> Finding | None:
    """R1 where there was nothing to lose: NOTE without a response, YELLOW when it got worse since treatment."""
    reference, gain = own.reference, own.gain
    if reference is None or gain is None or gain >= limits.no_response_gain or not is_first_look(past, reference):
        return None
    level, reason = (Level.YELLOW, "r1.worse") if gain <= -limits.worse_by else (Level.NOTE, "r1.none")
    return _finding(
        Rule.LOSS_OF_RESPONSE, level, reason, past,
        reference=round(reference.mean, 1), before=round(own.before or 0.0, 1),
    )  # fmt: skip


def drop_below_reference(past: Past, own: Own, limits: Limits) -> Finding | None:
    """R2. One-sided EWMA of mood against the own reference; YELLOW on two answered days in a row below the limit."""
    reference = own.reference
    if reference is None:
        return None
    z, averages = reference.mean, []
    for day, mood in past.moods:
        if day > reference.last_day:
            z = limits.ewma_weight * mood + (1 - limits.ewma_weight) * z
            averages.append(z)
    days = 0
    for t in range(len(averages), 0, -1):
        if averages[t - 1] >= ewma_limit(reference, t, limits):
            break
        days += 1
    if days < limits.ewma_days:
        return None
    return _finding(
        Rule.DROP_BELOW_REFERENCE, Level.YELLOW, "r2.below", past, average=round(z, 1),
        reference=round(reference.mean, 1), limit=round(ewma_limit(reference, len(averages), limits), 1), days=days,
    )  # fmt: skip


def ewma_limit(reference: Reference, t: int, limits: Limits) -> float:
    """After `t` answered days since the reference. Moods that resemble yesterday's wander further: hence q."""
    weight = limits.ewma_weight
    q = limits.ewma_autocorrelation * (1 - weight)
    sigma = min(max(reference.s, limits.ewma_sd_low), limits.ewma_sd_high) * sqrt((1 + q) / (1 - q))
    width = limits.ewma_width * sigma * sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * t)))
    return reference.mean - max(width, limits.ewma_minimum)


def sharp_drop(past: Past, own: Own, limits: Limits) -> Finding | None:
    """R3. A fall far below the last week's median: YELLOW, twice in a row ORANGE."""
    moods = [mood for _, mood in past.moods[-TWO_WEEKS - 2 :]]
    last = _fallen_from(moods, limits)
    if last is None:
        return None
    again = _fallen_from(moods[:-1], limits) is not None
    level, reason = (Level.ORANGE, "r3.sharp_again") if again else (Level.YELLOW, "r3.sharp")
    return _finding(Rule.SHARP_DROP, level, reason, past, median=round(last, 1))


def _fallen_from(moods: list[int], limits: Limits) -> float | None:
    """The median that the last mood fell far below; None when it did not."""
    week = moods[-1 - WEEK : -1]
    if len(week) < limits.sharp_answers:
        return None
    usual = median(week)
    size = max(limits.sharp_drop, limits.sharp_drop_sd * deviation(moods[-1 - TWO_WEEKS : -1]))
    return usual if moods[-1] <= usual - size else None


def median_of_week(past: Past) -> float:
    """What the next mood would be compared with."""
    return median(mood for _, mood in past.moods[-WEEK:])


def very_low(past: Past, own: Own, limits: Limits) -> Finding | None:
    """R3. Very low twice in a row: ORANGE when that is not the usual low, else a NOTE."""
    moods = [mood for _, mood in past.moods[-TWO_WEEKS - 1 :]]
    if len(moods) < 3 or max(moods[-2:]) > limits.very_low:  # noqa: PLR2004 - the last two, and one to compare with
        return None
    usual = median(moods[:-1])
    fallen = min(moods[-2:]) <= usual - limits.very_low_drop
    level, reason = (Level.ORANGE, "r3.very_low") if fallen else (Level.NOTE, "r3.low")
    return _finding(Rule.SHARP_DROP, level, reason, past, median=round(usual, 1))


def long_low(past: Past, own: Own, limits: Limits) -> Finding | None:
    """R3. Low for two weeks: no rule that looks for falls can see this patient, so YELLOW, again every 28 days."""
    since = past.moods[-1][0] - timedelta(days=TWO_WEEKS)
    recent = [mood for day, mood in past.moods[-TWO_WEEKS:] if day > since]
    if len(recent) < WEEK or mean(recent) > limits.long_low:
        return None
    return _finding(Rule.SHARP_DROP, Level.YELLOW, "r3.long_low", past, mean=round(mean(recent), 1), days=len(recent))


def fading(past: Past, own: Own, limits: Limits) -> Finding | None:
    """R7. The newest reference well below the median of the first three: a slow loss that R1 and R2 cannot see."""
    known = own.references
    if len(known) <= limits.fading_references or not is_first_look(past, known[-1]):
        return None
    first = median(reference.mean for reference in known[: limits.fading_references])
    if known[-1].mean > first - limits.fading:
        return None
    return _finding(
        Rule.FADING, Level.YELLOW, "r7.fading", past, reference=round(known[-1].mean, 1), first=round(first, 1)
    )


def elated(past: Past, own: Own, limits: Limits) -> Finding | None:
    """R6. Very high on three answered days in a row, from a median below 6 in the week before them."""
    moods = [mood for _, mood in past.moods[-limits.elated_days - WEEK :]]
    high, earlier = moods[-limits.elated_days :], moods[: -limits.elated_days]
    if len(earlier) < limits.sharp_answers or min(high) < limits.elated_mood:
        return None
    usual = median(earlier)
    if usual >= limits.elated_before:
        return None
    return _finding(Rule.SIDE_EFFECTS, Level.YELLOW, "r6.elated", past, median=round(usual, 1), days=limits.elated_days)


def _finding(rule: Rule, level: Level, reason: str, past: Past, **values: float | int) -> Finding:
    day, mood = past.moods[-1]
    return Finding(rule, level, reason, day, {"mood": mood, **values})
