"""R5: silence. What the bot could not deliver is never the patient's silence."""

from datetime import date

from bot.clinical.diary import Diary
from bot.clinical.rules.limits import Limits
from bot.clinical.terms import Finding, Level, Outcome, Rule

UNSEEN = (Outcome.PENDING, Outcome.CANCELLED, Outcome.UNDELIVERED)
DISCHARGE = "discharge"  # the kind of a dated event


def judge_silence(diary: Diary, today: date, limits: Limits | None = None) -> Finding | None:
    """Missed check-ins in a row up to today; one is enough in the week after danger was reported."""
    limits = limits or Limits()
    missed = missed_in_a_row(diary)
    if missed >= limits.missed_after_danger and _after_danger(diary, today, limits, Level.ORANGE):
        return Finding(Rule.SILENCE, Level.ORANGE, "r5.after_danger", today, {"missed": missed})
    if missed >= (limits.missed_near if _near(diary, today, limits) else limits.missed_else):
        return Finding(Rule.SILENCE, Level.YELLOW, "r5.silent", today, {"missed": missed})
    return None


def wants_gentle_message(diary: Diary, limits: Limits | None = None) -> bool:
    """After the second miss the patient, not the team, hears from us: once, as the third miss is another count."""
    return missed_in_a_row(diary) == (limits or Limits()).missed_gentle


def missed_in_a_row(diary: Diary) -> int:
    missed = 0
    for check_in in reversed(diary.check_ins):
        if check_in.outcome in UNSEEN:
            continue
        if check_in.outcome != Outcome.MISSED:
            break
        missed += 1
    return missed


def judge_blocked(diary: Diary, today: date, limits: Limits | None = None) -> Finding:
    danger = _after_danger(diary, today, limits or Limits(), Level.YELLOW)
    return Finding(Rule.SILENCE, Level.ORANGE if danger else Level.YELLOW, "r5.blocked", today)


def judge_break(diary: Diary, today: date, reason: str, limits: Limits | None = None) -> Finding:
    """A pause or stop: a NOTE, unless danger or an infusion is near."""
    limits = limits or Limits()
    near = _within(diary, today, limits.near_days, Level.YELLOW) or _soon_after_infusion(diary, today, limits)
    return Finding(Rule.SILENCE, Level.YELLOW if near else Level.NOTE, reason, today)


def _near(diary: Diary, today: date, limits: Limits) -> bool:
    discharged = [event.day for event in diary.events if event.kind == DISCHARGE]
    return _soon_after_infusion(diary, today, limits) or any(
        0 <= (today - day).days <= limits.near_days for day in discharged
    )


def _soon_after_infusion(diary: Diary, today: date, limits: Limits) -> bool:
    return any(0 <= (today - infusion.day).days <= limits.near_days for infusion in diary.infusions)


def _after_danger(diary: Diary, today: date, limits: Limits, least: Level) -> bool:
    return _within(diary, today, limits.danger_days, least)


def _within(diary: Diary, today: date, days: int, least: Level) -> bool:
    """R0 in the last days. An alert that is still open counts too: it may have new findings that are younger."""
    return any(
        alert.rule == Rule.SUICIDAL_THOUGHTS
        and alert.level.at_least(least)
        and (alert.closed_at is None or (today - alert.day).days <= days)
        for alert in diary.alerts
    )
