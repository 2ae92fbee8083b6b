"""Judges a diary day by day, as the product would have done: behind the backtest, the study and the trial of limits.

Alerts are taken to be closed on the day after they were raised, so that re-arming is part of the replay. Of R0 only
urge and intent are judged: presses, texts and questionnaires do not depend on limits.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from bot.clinical import baseline, rules, safety
from bot.clinical.baseline import Baseline, Ineligible
from bot.clinical.diary import AlertEntry, CheckIn, Diary
from bot.clinical.terms import Finding, Level, Outcome, Rule

TRIAL_DAYS = timedelta(days=60)
R0_ITEMS = ("urge", "intent")


@dataclass(frozen=True, slots=True)
class Judged:
    """`is_alert` is False for a NOTE. What only goes on under an alert of its rule is left out."""

    day: date
    finding: Finding
    is_alert: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """The last 60 days under the limits of today, and under others."""

    before: tuple[Judged, ...]
    after: tuple[Judged, ...]


def trial(diary: Diary, today: date, limits: rules.Limits, others: rules.Limits) -> Trial:
    """What other limits would have done to this patient's last 60 days. R0 does not depend on them and is left out."""

    def recent(tried: rules.Limits) -> tuple[Judged, ...]:
        found = replay(diary, tried)
        return tuple(
            entry
            for entry in found
            if today - TRIAL_DAYS < entry.day <= today and entry.finding.rule != Rule.SUICIDAL_THOUGHTS
        )

    return Trial(recent(limits), recent(others))


def replay(diary: Diary, limits: rules.Limits | None = None, *, reviewed: bool = False) -> list[Judged]:
    """What the rules find, oldest first. `reviewed`: a clinician signs a baseline as soon and as often as can be."""
    run = _Run(diary, limits or rules.Limits(), reviewed)
    ordered = sorted(diary.check_ins, key=lambda check_in: check_in.day)
    return [found for day, rows in groupby(ordered, lambda row: row.day) for found in run.judge_day(day, list(rows))]


@dataclass
class _Run:
    diary: Diary
    limits: rules.Limits
    reviewed: bool
    alerts: list[AlertEntry] = field(default_factory=list)
    seen: dict[date, set[Rule]] = field(default_factory=dict)
    noted: dict[tuple[Rule, str], date] = field(default_factory=dict)
    history: safety.History = field(default_factory=safety.History)
    signed: Baseline | None = None

    def __post_init__(self) -> None:
        self.check_ins = sorted(self.diary.check_ins, key=lambda check_in: check_in.day)
        self.days = [check_in.day for check_in in self.check_ins]
        self.past = rules.Past.of(self.diary, self.days[-1] if self.days else date.max)

    def judge_day(self, day: date, rows: list[CheckIn]) -> Iterator[Judged]:
        self._close_older(day)
        answered = any(row.responses for row in rows)
        found = self._danger(day, rows) if answered else []
        if answered:
            found += self._side_effects(day, rows)
            past = self.past.until(day)
            found += rules.judge_past(past, self.limits)
            if past.moods and past.moods[-1][0] == day:
                self.seen[day] = {finding.rule for finding in found if finding.level != Level.NOTE}
        if rows[-1].outcome is Outcome.MISSED:
            silence = rules.judge_silence(self._until(day), day, self.limits)
            found += [silence] if silence else []
        for finding in found:
            if self._enters(finding, day):
                yield Judged(day, finding, finding.level != Level.NOTE)

    def _danger(self, day: date, rows: list[CheckIn]) -> list[Finding]:
        """R0 at each answer; only the gravest of a day is told."""
        if self.reviewed and (self.signed is None or not self.signed.holds(day)):
            self._sign(day)
        found: list[Finding | None] = []
        for row in rows:
            known: dict[str, int | None] = {}
            answers = row.answers("daily")
            for item in [item for item in R0_ITEMS if item in answers]:
                known[f"daily.{item}"] = value = answers[item]
                found.append(baseline.judge_answer("daily", item, value, known, self.history, day, self.signed))
            if answers.get("intent"):
                self.history = replace(self.history, last_intent_on=day)
        if self.signed is not None and any(finding is not None for finding in found):
            found.insert(0, baseline.judge_change(self.signed, self._until(day), day))
        told = max((finding for finding in found if finding), key=lambda finding: finding.level.rank, default=None)
        if told is not None and self.signed is not None and baseline.ended_by(told):
            self.signed = replace(self.signed, ended_on=day)
        return [told] if told is not None else []

    def _sign(self, day: date) -> None:
        ended = self.signed.ended_on if self.signed is not None else None
        yesterday = day - timedelta(days=1)
        proposal = baseline.propose(self._until(yesterday), yesterday, ended)
        if not isinstance(proposal, Ineligible):
            self.signed = proposal.signed(day)

    def _side_effects(self, day: date, rows: list[CheckIn]) -> list[Finding]:
        found = [
            rules.judge_side_effect(response.instrument, response.item, response.value, day, self.limits)
            for row in rows
            for response in row.responses
        ]
        return [finding for finding in found if finding is not None]

    def _enters(self, finding: Finding, day: date) -> bool:
        """A NOTE is told once until it was absent for four weeks; an alert when it is news."""
        if finding.level == Level.NOTE:
            key = finding.rule, finding.reason
            last, self.noted[key] = self.noted.get(key), day
            return last is None or (day - last).days >= self.limits.quiet_days
        if finding.rule != Rule.SUICIDAL_THOUGHTS and not rules.is_new(
            finding, self.alerts, self.diary, self.limits, self.seen
        ):
            return False
        moment = datetime.combine(day, time(18, 0), UTC)
        self.alerts.append(
            AlertEntry("", finding.rule, finding.level, finding.reason, finding.values, finding.day, moment)
        )
        return True

    def _close_older(self, today: date) -> None:
        for index in range(len(self.alerts) - 1, -1, -1):
            alert = self.alerts[index]
            if alert.closed_at is not None:
                break
            if alert.raised_at.date() < today:
                self.alerts[index] = replace(alert, closed_at=alert.raised_at + timedelta(days=1))

    def _until(self, day: date) -> Diary:
        return replace(
            self.diary,
            check_ins=tuple(self.check_ins[: bisect_right(self.days, day)]),
            infusions=self.diary.infusions[: bisect_right(self.past.infusions, day)],
            alerts=(*self._real_danger(day), *self.alerts),
        )

    def _real_danger(self, day: date) -> tuple[AlertEntry, ...]:
        """R0 alerts that the diary itself has: silence after them weighs more."""
        dates = [alert.day for alert in self.diary.alerts]
        known = self.diary.alerts[: bisect_left(dates, day)]
        return tuple(alert for alert in known if alert.rule == Rule.SUICIDAL_THOUGHTS)
