"""When a finding is news: one alert per condition, and after closing a pause that a rise of level breaks."""

from collections.abc import Sequence
from datetime import timedelta

from bot.clinical.diary import AlertEntry, Diary
from bot.clinical.terms import Finding

QUIET_DAYS = timedelta(days=28)
CLEAR_DAYS = 5  # answered days without the condition


def is_new(finding: Finding, alerts: Sequence[AlertEntry], diary: Diary) -> bool:
    """True when the finding belongs to an open alert, which merges it, or may open one anew.

    "Without the condition" is read from the alert's own history: no finding of the rule, so no alert day, for five
    answered days.
    """
    earlier = [alert for alert in alerts if alert.rule == finding.rule]
    if not earlier or earlier[-1].closed_at is None:
        return True
    last = earlier[-1]
    if finding.level.rank > last.level.rank or finding.day - last.day >= QUIET_DAYS:
        return True
    since = [day for day, _ in diary.values("daily", "mood") if last.day < day < finding.day]
    return len(since) >= CLEAR_DAYS and finding.day - last.day > timedelta(days=CLEAR_DAYS)
