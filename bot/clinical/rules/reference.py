"""What a patient is compared with: the days before treatment, and the first week after each infusion."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import fsum, sqrt

from bot.clinical.rules.limits import Limits
from bot.clinical.rules.past import Past


@dataclass(frozen=True, slots=True)
class Reference:
    """The patient's own level after one infusion."""

    mean: float
    s: float  # standard deviation, shrunk towards the typical one
    last_day: date  # of the week it was taken from


@dataclass(frozen=True, slots=True)
class Own:
    """`before` is the mean before the first infusion; `references` are those of weeks that are over, oldest first."""

    before: float | None
    references: tuple[Reference, ...]

    @property
    def reference(self) -> Reference | None:
        """The one that counts today: kept from the infusion before until a new one exists."""
        return self.references[-1] if self.references else None

    @property
    def gain(self) -> float | None:
        return None if self.before is None or not self.references else self.references[-1].mean - self.before


def own_levels(past: Past, limits: Limits) -> Own:
    return Own(_before(past, limits), tuple(_references(past, limits)))


def is_first_look(past: Past, reference: Reference) -> bool:
    """True on the first answered day on which this reference is known: what it says is said once."""
    days = [day for day, _ in past.moods[-2:]]
    return bool(days) and days[-1] >= reference.last_day and (len(days) == 1 or days[0] < reference.last_day)


def _before(past: Past, limits: Limits) -> float | None:
    if not past.infusions:
        return None
    earlier = [mood for day, mood in past.moods if day < past.infusions[0]][-limits.before_days :]
    return mean(earlier) if len(earlier) >= limits.before_answers else None


def _references(past: Past, limits: Limits) -> list[Reference]:
    """Day 0 is the drug, not the response. In a dense induction the days between two infusions are too few."""
    found = []
    for index, infusion in enumerate(past.infusions):
        last = infusion + timedelta(days=limits.reference_days)
        if index + 1 < len(past.infusions):
            last = min(last, past.infusions[index + 1] - timedelta(days=1))
        if last > past.today:
            continue
        week = [mood for day, mood in past.moods if infusion < day <= last]
        if len(week) >= limits.reference_answers:
            found.append(Reference(mean(week), _shrunken(week, limits), last))
    return found


def _shrunken(values: Sequence[int], limits: Limits) -> float:
    n, middle = len(values), mean(values)
    own = fsum((value - middle) ** 2 for value in values)
    return sqrt((limits.typical_weight * limits.typical_sd**2 + own) / (n + limits.typical_weight - 1))


def mean(values: Sequence[int]) -> float:
    return fsum(values) / len(values)


def deviation(values: Sequence[int]) -> float:
    """Of the values themselves; the standard library's is exact and forty times slower."""
    middle = mean(values)
    return sqrt(fsum((value - middle) ** 2 for value in values) / len(values))
