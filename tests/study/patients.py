"""Simulated patients whose true course is known: what the rules are measured against.

A mood is the patient's true level plus noise, rounded and kept within 0 to 10. The noise of one day resembles that of
the day before (AR(1) with coefficient `phi`), its standard deviation differs between people. Answers are missing at
random. A weekly PHQ-9 follows the true level of the week. Day 0 is the first infusion; a week of answers comes before.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from bot.clinical.backtest import FIRST_DAY, Day

BEFORE_DAYS, DAYS = 7, 60
PHQ9_AT_0, PHQ9_PER_POINT, PHQ9_NOISE = 24.0, 2.4, 1.8  # mood 3 is a PHQ-9 of 17, mood 7 one of 7
Level = Callable[[int], float]  # the true level on a day


@dataclass(frozen=True, slots=True)
class World:
    """What one cell of the grid fixes for everybody in it."""

    phi: float = 0.3
    missing: float = 0.21
    sd: float = 1.3
    fall: float | None = None  # points; None: the whole gain


@dataclass(frozen=True, slots=True)
class Person:
    """`starts`: the day on which the true level begins to fall; `crosses`: when it is below the true limit of R1."""

    days: tuple[Day, ...]
    starts: int | None = None
    crosses: int | None = None


@dataclass(frozen=True, slots=True)
class _Course:
    level: Level
    sd: float
    days: int = DAYS
    infusions: tuple[int, ...] = (0,)
    with_before: bool = True
    urge: Level | None = None
    intent: float = 0.0  # how often an urge comes with an intent


def stable(random: Random, world: World) -> Person:
    before, after = _gain(random)
    return _person(random, world, _Course(_held(before, after), _sd(random, world)))


def highly_variable(random: Random, world: World) -> Person:
    before, after = _gain(random)
    return _person(random, world, _Course(_held(before, after), random.uniform(1.9, 2.6)))


def never_responding(random: Random, world: World) -> Person:
    before, _ = _gain(random)
    return _person(random, world, _Course(_held(before, before + random.uniform(-0.3, 0.7)), _sd(random, world)))


def flat_and_low(random: Random, world: World) -> Person:
    level = random.uniform(1.0, 1.8)
    return _person(random, world, _Course(lambda day: level, 0.6))


def fading_early(random: Random, world: World) -> Person:
    return _fading(random, world, starts=random.randint(8, 12), lasts=random.randint(5, 10))


def fading_late(random: Random, world: World) -> Person:
    return _fading(random, world, starts=random.randint(18, 40), lasts=random.randint(5, 14))


def fading_in_part(random: Random, world: World) -> Person:
    """Seven tenths of the gain go, so that the level stays a little below the limit."""
    return _fading(random, world, starts=random.randint(18, 40), lasts=random.randint(5, 14), part=0.7)


def in_maintenance(random: Random, world: World) -> Person:
    """Enrolled in maintenance, fading late: there is no "before"."""
    return _fading(random, world, starts=random.randint(18, 40), lasts=random.randint(5, 14), with_before=False)


def falling(random: Random, world: World) -> Person:
    """Falls by `world.fall` points within three days: the grid's patient."""
    before, after = _gain(random)
    starts, size = random.randint(14, 45), world.fall or 0.0
    level = _ramp(before, after, starts, 3, size)
    return _person(random, world, _Course(level, _sd(random, world)), starts, starts + 3)


def no_fall(random: Random, world: World) -> Person:
    """Stable, with a window as long as that of fading patients: what is "seen" in it is chance."""
    before, after = _gain(random)
    starts = random.randint(18, 40)
    crosses = starts + random.randint(5, 14) // 2
    return _person(random, world, _Course(_held(before, after), _sd(random, world)), starts, crosses)


def fading_over_infusions(random: Random, world: World) -> Person:
    """Seven infusions two weeks apart, each lifting to 0.6 less than the one before."""
    return _repeated(random, world, loss=0.6)


def stable_over_infusions(random: Random, world: World) -> Person:
    return _repeated(random, world, loss=0.0)


def chronic_stable(random: Random, world: World) -> Person:
    """Thoughts on most days, urge about 2, and an intent of 1 or 2 once in a hundred answers."""
    return _chronic(random, world, rise=0.0, intent=0.01)


def chronic_rising(random: Random, world: World) -> Person:
    """The same without any intent, and from one day on more by `world.fall` (3)."""
    return _chronic(random, world, rise=world.fall if world.fall is not None else 3.0, intent=0.0)


KINDS: dict[str, Callable[[Random, World], Person]] = {
    "stable": stable,
    "fading early": fading_early,
    "fading late": fading_late,
    "fading in part": fading_in_part,
    "in maintenance, fading": in_maintenance,
    "never responding": never_responding,
    "flat and low": flat_and_low,
    "highly variable": highly_variable,
    "fading over infusions": fading_over_infusions,
    "stable over infusions": stable_over_infusions,
    "no fall (chance)": no_fall,
    "falling": falling,
    "chronic thoughts, stable": chronic_stable,
    "chronic thoughts, rising": chronic_rising,
}


def _gain(random: Random) -> tuple[float, float]:
    """True levels before treatment and after it."""
    before = min(max(random.gauss(2.8, 0.6), 1.5), 4.0)
    return before, before + min(max(random.gauss(4.2, 0.6), 3.4), 5.5)


def _sd(random: Random, world: World) -> float:
    return world.sd * min(max(random.lognormvariate(0.0, 0.2), 0.6), 1.6)


def _held(before: float, after: float) -> Level:
    return lambda day: before if day <= 0 else after


def _ramp(before: float, after: float, starts: int, lasts: int, size: float) -> Level:
    def level(day: int) -> float:
        if day <= 0:
            return before
        return after - size * min(max((day - starts) / lasts, 0.0), 1.0)

    return level


def _fading(
    random: Random, world: World, *, starts: int, lasts: int, part: float = 1.0, with_before: bool = True
) -> Person:
    before, after = _gain(random)
    size = part * (after - before)
    limit = min(before + (after - before) / 2, after - 2) if with_before else after - 2.5
    level = _ramp(before, after, starts, lasts, size)
    crosses = next(day for day in range(starts, starts + lasts + 1) if level(day) < limit)
    return _person(random, world, _Course(level, _sd(random, world), with_before=with_before), starts, crosses)


def _repeated(random: Random, world: World, loss: float) -> Person:
    before, after = _gain(random)
    infusions = tuple(range(0, 98, 14))

    def level(day: int) -> float:
        return before if day <= 0 else max(before, after - loss * (day // 14))

    return _person(random, world, _Course(level, _sd(random, world), days=98, infusions=infusions))


def _chronic(random: Random, world: World, rise: float, intent: float) -> Person:
    before, after = _gain(random)
    starts = random.randint(30, 45)
    usual = random.uniform(1.2, 2.4)

    def urge(day: int) -> float:
        return usual + (rise if day >= starts else 0.0)

    course = _Course(_held(before, before + (after - before) / 3), _sd(random, world), urge=urge, intent=intent)
    return _person(random, world, course, starts if rise else None, starts if rise else None)


def _person(
    random: Random, world: World, course: _Course, starts: int | None = None, crosses: int | None = None
) -> Person:
    noise, urges = _noise(random, world, course.sd), _noise(random, world, 0.9)
    rows = []
    for number in range(-BEFORE_DAYS if course.with_before else 0, course.days + 1):
        level, wave, urge_wave = course.level(number), next(noise), next(urges)
        missed = random.random() < world.missing
        urge = intent = None
        if course.urge is not None and not missed:
            urge = _whole(course.urge(number) + urge_wave)
            intent = (random.randint(1, 2) if random.random() < course.intent else 0) if urge else None
        rows.append(
            Day(
                "1", FIRST_DAY + timedelta(days=number), str(number), None if missed else _whole(level + wave),
                infusion=number in course.infusions, phq9=None if missed else _phq9(random, number, level), urge=urge,
                intent=intent, missed=missed,
            )
        )  # fmt: skip
    return Person(tuple(rows), starts, crosses)


def _noise(random: Random, world: World, sd: float) -> Iterator[float]:
    wave = random.gauss(0, sd)
    while True:
        yield wave
        wave = world.phi * wave + random.gauss(0, sd * (1 - world.phi**2) ** 0.5)


def _whole(mood: float) -> int:
    return min(max(round(mood), 0), 10)


def _phq9(random: Random, day: int, level: float) -> int | None:
    if day % 7:
        return None
    return min(max(round(PHQ9_AT_0 - PHQ9_PER_POINT * level + random.gauss(0, PHQ9_NOISE)), 0), 27)
