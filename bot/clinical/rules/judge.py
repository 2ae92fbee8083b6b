"""All rules that look at the whole diary."""

from datetime import date

from bot.clinical.diary import Diary
from bot.clinical.rules import mood
from bot.clinical.rules.limits import Limits
from bot.clinical.rules.phq9 import judge_phq9
from bot.clinical.rules.reference import moods
from bot.clinical.terms import Finding


def judge(diary: Diary, today: date, limits: Limits | None = None) -> tuple[Finding, ...]:
    """What R1 to R4 and R7 see today; at most one finding a rule. Never raises on gaps."""
    limits = limits or Limits()
    series = moods(diary, today)
    found: list[Finding | None] = [judge_phq9(diary, today, limits)]
    if series:
        found += [
            mood.loss_of_response(diary, series, limits) or mood.no_gain(diary, series),
            mood.drop_below_reference(diary, series, limits),
            mood.sharp_drop(series, limits),
            mood.fading(diary, series, limits),
        ]
    return tuple(finding for finding in found if finding is not None)
