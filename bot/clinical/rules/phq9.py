"""R4: the weekly PHQ-9."""

from datetime import date, timedelta

from bot.clinical.diary import Diary
from bot.clinical.rules.limits import Limits
from bot.clinical.terms import Finding, Level, Rule

ITEMS = tuple(f"item{number}" for number in range(1, 10))
SIX_WEEKS = timedelta(weeks=6)
HALF = 0.5


def totals(diary: Diary, today: date) -> list[tuple[date, int]]:
    """Complete questionnaires only: an incomplete one has no total."""
    found = []
    for check_in in diary.check_ins:
        answers = check_in.answers("phq9")
        values = [answers.get(item) for item in ITEMS]
        complete = [value for value in values if value is not None]
        if len(complete) == len(ITEMS) and check_in.day <= today:
            found.append((check_in.day, sum(complete)))
    return found


def judge_phq9(diary: Diary, today: date, limits: Limits) -> Finding | None:
    known = totals(diary, today)
    if len(known) < 2:  # noqa: PLR2004 - a change needs two
        return None
    day, now = known[-1]
    first, previous = known[0][1], known[-2][1]
    lost = [score for _, score in known[-2:] if score >= limits.phq9_moderate and score > HALF * first]
    responded = any(score <= HALF * first for _, score in known[:-2])
    if responded and len(lost) == 2:  # noqa: PLR2004 - two weeklies in a row
        return Finding(Rule.PHQ9, Level.ORANGE, "r4.lost", day, {"score": now, "first": first})
    best = min(score for scored, score in known[:-1] if scored >= day - SIX_WEEKS) if _recent(known, day) else now
    if min(now, previous) - best >= limits.phq9_reliable_change:
        return Finding(Rule.PHQ9, Level.YELLOW, "r4.rise", day, {"score": now, "best": best})
    if now - previous >= limits.phq9_rise_note:
        return Finding(Rule.PHQ9, Level.NOTE, "r4.note", day, {"score": now, "previous": previous})
    return None


def _recent(known: list[tuple[date, int]], day: date) -> bool:
    return any(scored >= day - SIX_WEEKS for scored, _ in known[:-1])
