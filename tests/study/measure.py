"""Replays simulated patients and counts what the rules saw, and what they should not have seen."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from multiprocessing.pool import Pool
from random import Random
from statistics import fmean, median, stdev

from bot.clinical import backtest
from bot.clinical.backtest import DAYS_A_MONTH, Replayed
from bot.clinical.rules import Limits
from bot.clinical.terms import Level, Rule
from tests.study.patients import KINDS, Person, World

SEES_A_FALL = (Rule.LOSS_OF_RESPONSE, Rule.DROP_BELOW_REFERENCE, Rule.SHARP_DROP, Rule.PHQ9)
SOON = 7  # days after the true crossing
TWO_WEEKS = 14
CHUNK = 25
SURE = 1.96


@dataclass(frozen=True, slots=True)
class Task:
    """Some people of one kind; which ones depends on the seed and their numbers only."""

    kind: str
    world: World
    limits: Limits
    seed: int
    numbers: range
    reviewed: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """One person. Days are relative to the true crossing; None: not in time."""

    months: float
    alerts: Counter[Rule]
    danger: tuple[float, float]  # R0 alerts per month: in the first two weeks, and after them
    orange: float  # R0, ORANGE or RED, per month
    first: dict[Rule, int | None]
    any_first: int | None
    danger_first: int | None  # R0 above the usual, after the rise of an urge
    fading_at: int | None  # day of R7


@dataclass
class Group:
    outcomes: list[Outcome] = field(default_factory=list)

    def load(self, rules: Iterable[Rule]) -> tuple[float, float]:
        """Alerts of these rules per patient-month, and half the width of its 95 % interval."""
        wanted = tuple(rules)
        return interval([sum(one.alerts[rule] for rule in wanted) / one.months for one in self.outcomes])

    def share(self, days: Iterable[int | None], within: int) -> tuple[float, float, float]:
        """The part that was seen within so many days, with its Wilson interval."""
        known = list(days)
        return wilson(sum(day is not None and day <= within for day in known), len(known))

    def delay(self) -> float | None:
        known = [one.any_first for one in self.outcomes if one.any_first is not None]
        return median(known) if known else None


def interval(rates: Sequence[float]) -> tuple[float, float]:
    """The mean and half the width of its 95 % interval."""
    return fmean(rates), SURE * stdev(rates) / sqrt(len(rates))


def wilson(hits: int, of: int) -> tuple[float, float, float]:
    share, square = hits / of, SURE**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = SURE * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return share, middle - half, middle + half


def measure(
    pool: Pool, kind: str, world: World, people: int, *, seed: int, limits: Limits, reviewed: bool = False
) -> Group:
    tasks = [
        Task(kind, world, limits, seed, range(first, min(first + CHUNK, people)), reviewed)
        for first in range(0, people, CHUNK)
    ]
    return Group([outcome for chunk in pool.imap(run, tasks) for outcome in chunk])


def run(task: Task) -> list[Outcome]:
    found = []
    for number in task.numbers:
        person = KINDS[task.kind](Random(f"{task.seed}/{task.kind}/{task.world}/{number}"), task.world)
        found.append(outcome(person, backtest.replay(person.days, task.limits, reviewed=task.reviewed)))
    return found


def outcome(person: Person, replayed: list[Replayed]) -> Outcome:
    alerts = [(int(entry.label), entry.finding) for entry in replayed if entry.is_alert and int(entry.label) > 0]
    starts, crosses = person.starts, person.crosses
    first: dict[Rule, int | None] = dict.fromkeys(SEES_A_FALL)
    danger = None
    if starts is not None and crosses is not None:
        for rule in SEES_A_FALL:
            days = [day - crosses for day, finding in alerts if finding.rule == rule and day >= starts]
            first[rule] = min(days, default=None)
        rises = [
            day - crosses
            for day, finding in alerts
            if day >= starts
            and finding.rule == Rule.SUICIDAL_THOUGHTS
            and (finding.reason == "r0.above_usual" or finding.level.at_least(Level.ORANGE))
        ]
        danger = min(rises, default=None)
    months = int(person.days[-1].label) / DAYS_A_MONTH
    thoughts = [(day, finding.level) for day, finding in alerts if finding.rule == Rule.SUICIDAL_THOUGHTS]
    early, two_weeks = sum(day <= TWO_WEEKS for day, _ in thoughts), TWO_WEEKS / DAYS_A_MONTH
    return Outcome(
        months=months,
        alerts=Counter(finding.rule for _, finding in alerts),
        danger=(early / two_weeks, (len(thoughts) - early) / (months - two_weeks)),
        orange=sum(level.at_least(Level.ORANGE) for _, level in thoughts) / months,
        first=first,
        any_first=min((day for day in first.values() if day is not None), default=None),
        danger_first=danger,
        fading_at=min((day for day, finding in alerts if finding.rule == Rule.FADING), default=None),
    )
