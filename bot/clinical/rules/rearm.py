"""When a finding is news: one alert per condition, and after closing a pause that a rise of level breaks."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from bot.clinical.diary import AlertEntry, Diary
from bot.clinical.rules.judge import judge_past
from bot.clinical.rules.limits import Limits
from bot.clinical.rules.past import Past
from bot.clinical.rules.side_effects import side_effects_of
from bot.clinical.terms import Finding, Level, Rule

Seen = Mapping[date, Collection[Rule]]  # the rules whose condition held, by answered day, oldest first

EVERY_28_DAYS = "r3.long_low"  # goes on by its nature, so clear days between are chance
AFTER_DANGER = "r5.after_danger"  # whoever answers once and falls silent again is looked for again


def is_new(
    finding: Finding, alerts: Sequence[AlertEntry], diary: Diary, limits: Limits | None = None, seen: Seen | None = None
) -> bool:
    """True when the finding adds to an open alert of its rule, or may open one anew.

    A new one needs five answered days in a row without the condition, a higher level, or 28 days. `seen` spares
    judging the days since the last alert again; a replay knows them.
    """
    limits = limits or Limits()
    earlier = [alert for alert in alerts if alert.rule == finding.rule]
    if not earlier:
        return True
    last = earlier[-1]
    if finding.level.rank > last.level.rank:
        return True
    if last.closed_at is None:
        return finding.day > last.day
    if finding.day - last.day >= timedelta(days=limits.quiet_days):
        return True
    if finding.reason == EVERY_28_DAYS:
        return False
    return _was_clear(finding, last.day, diary, limits, seen)


def _was_clear(finding: Finding, since: date, diary: Diary, limits: Limits, seen: Seen | None) -> bool:
    clear, needed = 0, 1 if finding.reason == AFTER_DANGER else limits.clear_days
    for day, held in (seen if seen is not None else _look_back(diary, since, finding.day, limits)).items():
        if not since < day < finding.day:
            continue
        clear = 0 if finding.rule in held else clear + 1
        if clear >= needed:
            return True
    return False


def _look_back(diary: Diary, since: date, until: date, limits: Limits) -> Seen:
    past = Past.of(diary, until)
    return {day: conditions(past.until(day), diary, limits) for day, _ in past.moods if since < day < until}


def conditions(past: Past, diary: Diary, limits: Limits) -> set[Rule]:
    """The rules whose condition for an alert holds on the last day of `past`."""
    found = (*judge_past(past, limits), *side_effects_of(diary, past.today, limits))
    return {finding.rule for finding in found if finding.level != Level.NOTE}
