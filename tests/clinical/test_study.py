"""A small version of `make study`: the promises of docs/alert-rules.md hold for the limits as shipped."""

from multiprocessing import Pool

from bot.clinical.rules import Limits
from bot.clinical.terms import Rule
from tests.study.__main__ import NOT_SAFETY
from tests.study.measure import SOON, measure
from tests.study.patients import World

PEOPLE = 100


def test_stable_patients_are_left_alone_and_fading_is_seen() -> None:
    with Pool(1) as pool:
        stable, late, early = (
            measure(pool, kind, World(), PEOPLE, seed=1, limits=Limits())
            for kind in ("stable", "fading late", "fading early")
        )
    assert stable.load(NOT_SAFETY)[0] <= 1
    for fading in (late, early):
        assert fading.share((one.any_first for one in fading.outcomes), SOON)[0] >= 0.92


def test_a_reviewed_baseline_quiets_what_is_usual_and_shows_a_rise() -> None:
    with Pool(1) as pool:
        without, signed = (
            measure(pool, "chronic thoughts, stable", World(), 40, seed=1, limits=Limits(), reviewed=reviewed)
            for reviewed in (False, True)
        )
        rising = measure(pool, "chronic thoughts, rising", World(fall=3.0), 40, seed=1, limits=Limits(), reviewed=True)
    assert signed.load([Rule.SUICIDAL_THOUGHTS])[0] < without.load([Rule.SUICIDAL_THOUGHTS])[0] / 2
    assert rising.share((one.danger_first for one in rising.outcomes), SOON)[0] >= 0.95


def test_the_same_seed_gives_the_same_figures() -> None:
    with Pool(1) as pool:
        first, again, other = (
            measure(pool, "stable", World(), 10, seed=seed, limits=Limits()).outcomes for seed in (7, 7, 8)
        )
    assert first == again != other
