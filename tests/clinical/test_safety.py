"""R0: every cell of the grid has one tier, and a worse answer never lowers a level."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from bot.clinical import baseline
from bot.clinical.baseline import Baseline
from bot.clinical.library import Library
from bot.clinical.safety import (
    ASQ_FIRST,
    History,
    Tier,
    follow_up,
    is_judged,
    judge_answer,
    judge_unanswered,
    reads_history,
    tier,
)
from bot.clinical.terms import Finding, Level

TODAY = date(2026, 3, 2)
ORDER = list(Tier)


def level_of(item: str, value: int | None, **known: int) -> Level | None:
    instrument, _, code = item.partition(".")
    answers = {key.replace("__", "."): answer for key, answer in known.items()}
    finding = judge_answer(instrument, code, value, answers, History(last_intent_on=TODAY), TODAY)
    return finding.level if finding else None


@pytest.mark.parametrize(
    ("urge", "intent", "expected"),
    [
        (0, 0, Tier.NONE),
        (1, 0, Tier.LOW),
        (4, 4, Tier.LOW),
        (5, 0, Tier.MEDIUM),
        (7, 4, Tier.MEDIUM),
        (8, 0, Tier.MEDIUM),
        (8, 1, Tier.HIGH),
        (0, 8, Tier.HIGH),
        (3, 5, Tier.MEDIUM),
        (10, 10, Tier.HIGH),
    ],
)
def test_the_grid_of_urge_and_intent(urge: int, intent: int, expected: Tier) -> None:
    assert tier(urge, intent) == expected


def test_a_worse_answer_never_lowers_the_tier() -> None:
    for urge in range(11):
        for intent in range(11):
            here = ORDER.index(tier(urge, intent))
            assert urge == 10 or ORDER.index(tier(urge + 1, intent)) >= here
            assert intent == 10 or ORDER.index(tier(urge, intent + 1)) >= here


@pytest.mark.parametrize(
    ("item", "value", "expected"),
    [
        ("daily.urge", 0, None),
        ("daily.urge", None, None),
        ("daily.urge", 3, Level.YELLOW),
        ("daily.urge", 5, Level.ORANGE),
        ("daily.urge", 9, Level.ORANGE),
        ("phq9.item9", 1, Level.YELLOW),
        ("phq9.item9", 2, Level.ORANGE),
        ("safety.safe_now", 0, None),
        ("safety.safe_now", 2, Level.RED),
        ("safety.plan", 1, Level.RED),
        ("asq.asq3", 1, Level.ORANGE),
        ("asq.asq5", None, Level.RED),
    ],
)
def test_each_answer_by_itself(item: str, value: int | None, expected: Level | None) -> None:
    assert level_of(item, value) == expected


def test_intent_beside_a_strong_urge_is_red() -> None:
    assert level_of("daily.intent", 1, daily__urge=8) == Level.RED
    assert level_of("daily.intent", 8, daily__urge=1) == Level.RED


def test_first_intent_in_two_weeks_is_orange() -> None:
    finding = judge_answer("daily", "intent", 1, {"daily.urge": 1}, History(), TODAY)
    assert finding is not None and finding.level == Level.ORANGE


def test_an_unanswered_intent_rises_with_time() -> None:
    assert judge_unanswered(9, timedelta(minutes=4), TODAY) is None
    red = judge_unanswered(9, timedelta(minutes=5), TODAY)
    assert red is not None and red.level == Level.RED
    orange = judge_unanswered(5, timedelta(minutes=30), TODAY)
    assert orange is not None and orange.level == Level.ORANGE


def test_no_question_stands_between_a_red_answer_and_help() -> None:
    assert follow_up(Level.RED, known={}, history=History(), day=TODAY) == ()
    assert follow_up(Level.ORANGE, known={}, history=History(), day=TODAY) == ("safety:safe_now,plan", ASQ_FIRST)


def test_every_item_whose_answer_can_be_danger_is_known_as_such() -> None:
    """Answers that are not judged get no look before their turn: one that is missing here would be seen too late."""
    judged = {answer for answer in every_answer() for signed in BASELINES if found(*answer, History(), signed)}
    assert {("daily", "urge", 1), ("daily", "intent", None), ("phq9", "item9", 1)} <= judged
    assert all(is_judged(*answer) for answer in judged)


def test_earlier_days_are_loaded_for_every_item_that_they_matter_to() -> None:
    long_ago = History(last_intent_on=TODAY - timedelta(days=300), last_urge=0, last_asq_on=TODAY)
    lately = History(last_intent_on=TODAY, last_r0_on=TODAY, last_urge=10, skipped_last_time=True)
    moved = {
        answer[:2]
        for answer in every_answer()
        for signed in BASELINES
        if found(*answer, long_ago, signed) != found(*answer, lately, signed)
    }
    assert moved and all(reads_history(*pair) for pair in moved)


BASELINES = (None, Baseline(TODAY, ceiling=4, mean=2.0, item9=2))


def every_answer() -> Iterator[tuple[str, str, int | None]]:
    for instrument in Library.load().by_version.values():
        for item in instrument.items:
            for value in (None, *range(item.low, item.high + 1)):
                yield instrument.code, item.code, value


def found(code: str, item: str, value: int | None, history: History, signed: Baseline | None) -> list[Finding | None]:
    """What is found at each urge that may stand beside the answer; nothing at all gives an empty list."""
    findings = [
        baseline.judge_answer(code, item, value, {"daily.urge": urge}, history, TODAY, signed) for urge in (None, 1, 9)
    ]
    return findings if any(findings) else []
