"""R4: the weekly PHQ-9; and the part of R1 that it decides."""

from datetime import date, timedelta

from bot.clinical.rules.limits import Limits
from bot.clinical.rules.past import Past
from bot.clinical.terms import Finding, Level, Rule

SIX_WEEKS = timedelta(weeks=6)


def judge_phq9(past: Past, limits: Limits) -> Finding | None:
    """R4. Response lost, a reliable rise on two weeklies, or a rise since the last."""
    known = past.phq9
    if len(known) < 2:  # noqa: PLR2004 - a change needs two
        return None
    (_, previous), (day, now) = known[-2:]
    first = _baseline(past) or known[0][1]
    half = (1 - limits.phq9_response) * first
    responded = any(score <= half for _, score in known[:-2])
    if responded and all(score >= limits.phq9_moderate and score > half for score in (previous, now)):
        return Finding(Rule.PHQ9, Level.ORANGE, "r4.lost", day, {"score": now, "first": first})
    best = _best_of_six_weeks(past, day)
    if best is not None and min(now, previous) - best >= limits.phq9_reliable_change:
        return Finding(Rule.PHQ9, Level.YELLOW, "r4.rise", day, {"score": now, "best": best})
    if now - previous >= limits.phq9_rise_note:
        return Finding(Rule.PHQ9, Level.NOTE, "r4.note", day, {"score": now, "previous": previous})
    return None


def worse_since_treatment(past: Past, limits: Limits) -> Finding | None:
    """R1. The latest total well above the last one before the first infusion."""
    before = _baseline(past)
    if before is None or past.phq9[-1][0] <= past.infusions[0]:
        return None
    day, now = past.phq9[-1]
    if now < before + limits.phq9_worse:
        return None
    return Finding(Rule.LOSS_OF_RESPONSE, Level.YELLOW, "r1.worse_phq9", day, {"score": now, "before": before})


def _baseline(past: Past) -> int | None:
    """The last total up to the morning of the first infusion."""
    return next((score for day, score in reversed(past.phq9) if past.infusions and day <= past.infusions[0]), None)


def _best_of_six_weeks(past: Past, day: date) -> int | None:
    return min((score for scored, score in past.phq9[:-1] if scored >= day - SIX_WEEKS), default=None)
