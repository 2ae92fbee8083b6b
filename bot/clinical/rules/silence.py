"""R5: silence. What the bot could not deliver is never the patient's silence."""

from datetime import date, timedelta

from bot.clinical.diary import Diary
from bot.clinical.terms import Finding, Level, Outcome, Rule

DANGER_DAYS, CLOSE_DAYS = timedelta(days=7), timedelta(days=14)
MISSED_CLOSE, MISSED_ELSE = 3, 4


def judge_silence(diary: Diary, today: date) -> Finding | None:
    """Missed check-ins in a row up to today; one is enough in the week after danger was reported."""
    missed = 0
    for check_in in reversed(diary.check_ins):
        if check_in.outcome in (Outcome.PENDING, Outcome.CANCELLED, Outcome.UNDELIVERED):
            continue
        if check_in.outcome != Outcome.MISSED:
            break
        missed += 1
    if missed and _after_danger(diary, today):
        return Finding(Rule.SILENCE, Level.ORANGE, "r5.after_danger", today, {"missed": missed})
    if missed >= (MISSED_CLOSE if _near_infusion(diary, today) else MISSED_ELSE):
        return Finding(Rule.SILENCE, Level.YELLOW, "r5.silent", today, {"missed": missed})
    return None


def judge_blocked(diary: Diary, today: date) -> Finding:
    level = Level.ORANGE if _after_danger(diary, today) else Level.YELLOW
    return Finding(Rule.SILENCE, level, "r5.blocked", today)


def judge_break(diary: Diary, today: date, reason: str) -> Finding:
    """A pause or stop: a NOTE, unless danger or an infusion is near."""
    near = any(
        alert.rule == Rule.SUICIDAL_THOUGHTS and today - alert.day <= CLOSE_DAYS for alert in diary.alerts
    ) or _near_infusion(diary, today)
    return Finding(Rule.SILENCE, Level.YELLOW if near else Level.NOTE, reason, today)


def _near_infusion(diary: Diary, today: date) -> bool:
    return bool(diary.infusions) and today - diary.infusions[-1].day <= CLOSE_DAYS


def _after_danger(diary: Diary, today: date) -> bool:
    return any(
        alert.rule == Rule.SUICIDAL_THOUGHTS and alert.level.at_least(Level.ORANGE) and today - alert.day <= DANGER_DAYS
        for alert in diary.alerts
    )
