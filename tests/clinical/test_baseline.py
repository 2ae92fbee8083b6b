"""The reviewed baseline: the usual becomes quiet, more than usual stands out, and danger is never damped."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clinical import backtest, baseline, safety
from bot.clinical.backtest import Day
from bot.clinical.baseline import Baseline, Compared, Ineligible, Proposal
from bot.clinical.diary import Diary
from bot.clinical.safety import History
from bot.clinical.terms import Finding, Level

TODAY = date(2026, 3, 2)
SIGNED = Baseline(TODAY, ceiling=3, mean=2.0, item9=1)
CALM = History(last_intent_on=None)


def diary(urges: list[int], intent: int = 0, until: date = TODAY) -> Diary:
    first = until - timedelta(days=len(urges) - 1)
    return backtest.diary_of(
        [
            Day("1", day := first + timedelta(days=n), day.isoformat(), 3, urge=urge, intent=intent if urge else None)
            for n, urge in enumerate(urges)
        ]
    )


def level(
    item: str, value: int | None, signed: Baseline | None, day: date = TODAY, **known: int | None
) -> Level | None:
    answers = {f"daily.{name}": answer for name, answer in known.items()}
    instrument, _, code = item.partition(".")
    finding = baseline.judge_answer(instrument, code, value, answers, CALM, day, signed)
    return finding.level if finding else None


def test_ten_answered_days_make_a_proposal() -> None:
    assert baseline.propose(diary([2] * 9), TODAY) == Ineligible.TOO_FEW_DAYS
    assert baseline.propose(diary([1] * 8 + [3, 3]), TODAY) == Proposal(ceiling=3, mean=1.4, item9=0, answered=10)


def test_the_ceiling_stays_below_the_medium_tier() -> None:
    found = baseline.propose(diary([7] * 12), TODAY)
    assert isinstance(found, Proposal) and found.ceiling == 4


@pytest.mark.parametrize(
    ("urges", "intent", "why"), [([2] * 12, 1, Ineligible.INTENT), ([0] * 12, 0, Ineligible.NO_URGE)]
)
def test_what_cannot_be_signed(urges: list[int], intent: int, why: Ineligible) -> None:
    assert baseline.propose(diary(urges, intent), TODAY) == why


def test_after_it_ended_only_the_days_since_count() -> None:
    ended = TODAY - timedelta(days=5)
    assert baseline.propose(diary([2] * 20), TODAY, ended_on=ended) == Ineligible.TOO_FEW_DAYS


def test_the_usual_is_a_note_and_above_it_nothing_changes() -> None:
    assert level("daily.urge", 3, SIGNED) == Level.NOTE
    assert level("daily.urge", 3, None) == Level.YELLOW
    assert level("daily.urge", 4, SIGNED) == Level.YELLOW
    assert level("daily.urge", 3, SIGNED, intent=1) == Level.YELLOW
    assert level("daily.intent", 1, SIGNED, urge=3) == Level.ORANGE


def test_an_intent_that_is_skipped_or_left_open_takes_the_damping_back() -> None:
    assert level("daily.intent", 0, SIGNED, urge=3) is None
    assert level("daily.intent", None, SIGNED, urge=3, intent=None) == Level.YELLOW
    assert baseline.judge_unanswered(3, timedelta(minutes=29), TODAY, SIGNED) is None
    left_open = baseline.judge_unanswered(3, timedelta(minutes=30), TODAY, SIGNED)
    assert left_open is not None and left_open.level == Level.YELLOW


def test_item_nine_is_damped_by_one_level_up_to_the_signed_answer() -> None:
    assert level("phq9.item9", 1, SIGNED) == Level.NOTE
    assert level("phq9.item9", 2, SIGNED) == Level.ORANGE
    often = Baseline(TODAY, 3, 2.0, item9=3)
    assert level("phq9.item9", 2, often) == Level.YELLOW
    assert level("phq9.item9", 3, often) == Level.ORANGE


def test_it_holds_for_28_days_and_is_overdue_after_seven_more() -> None:
    assert level("daily.urge", 2, SIGNED, TODAY + timedelta(days=28)) == Level.NOTE
    assert level("daily.urge", 2, SIGNED, TODAY + timedelta(days=29)) == Level.YELLOW
    assert baseline.judge_overdue(SIGNED, TODAY + timedelta(days=35)) is None
    overdue = baseline.judge_overdue(SIGNED, TODAY + timedelta(days=36))
    assert overdue is not None and overdue.level == Level.YELLOW


def test_red_and_orange_for_intent_end_it() -> None:
    def ends(item: str, value: int, **known: int) -> bool:
        instrument, _, code = item.partition(".")
        answers: dict[str, int | None] = {f"daily.{name}": answer for name, answer in known.items()}
        finding = safety.judge_answer(instrument, code, value, answers, CALM, TODAY)
        return finding is not None and baseline.ended_by(finding)

    assert ends("daily.intent", 1, urge=1)
    assert ends("asq.asq4", 1)
    assert ends("safety.plan", 1)
    assert not ends("daily.urge", 7)
    assert not ends("phq9.item9", 2)


def test_the_patient_compares_with_usual() -> None:
    found = {answer: baseline.judge_compared(answer, TODAY) for answer in Compared}
    assert {answer: finding.level if finding else None for answer, finding in found.items()} == {
        Compared.SAME: None,
        Compared.WORSE: Level.YELLOW,
        Compared.DIFFERENT: Level.YELLOW,
        Compared.NOT_SAFE: Level.RED,
    }


@pytest.mark.parametrize(
    ("urges", "changed"), [([3, 3, 3, 3, 3], False), ([0, 0, 0, 0, 5], True), ([3, 4, 3, 4, 4], True), ([4], False)]
)
def test_more_than_usual_stands_out(urges: list[int], changed: bool) -> None:
    day = TODAY + timedelta(days=9)
    assert (baseline.judge_change(SIGNED, diary(urges, until=day), day) is not None) == changed


@given(st.integers(0, 10), st.one_of(st.none(), st.integers(0, 10)), st.integers(1, 4), st.integers(0, 3))
def test_damping_never_lowers_the_medium_or_high_tier(urge: int, intent: int | None, ceiling: int, item9: int) -> None:
    signed = Baseline(TODAY, ceiling, 1.0, item9)

    def highest(signed: Baseline | None) -> int:
        found: list[Finding | None] = []
        known: dict[str, int | None] = {}
        for item, value in (("urge", urge), ("intent", intent)):
            known[f"daily.{item}"] = value
            found.append(baseline.judge_answer("daily", item, value, known, CALM, TODAY, signed))
        return max((finding.level.rank for finding in found if finding), default=-1)

    damped, plain = highest(signed), highest(None)
    if urge > ceiling or intent != 0 or safety.tier(urge, intent) in (safety.Tier.MEDIUM, safety.Tier.HIGH):
        assert damped == plain
    else:
        assert damped == (Level.NOTE.rank if urge else -1)


@given(st.integers(0, 10), st.integers(0, 10), st.integers(0, 10), st.integers(0, 10), st.integers(1, 4))
def test_a_worse_answer_never_lowers_the_level_while_a_baseline_holds(
    urge: int, intent: int, more_urge: int, more_intent: int, ceiling: int
) -> None:
    signed = Baseline(TODAY, ceiling, 1.0, item9=0)

    def rank(urge: int, intent: int) -> int:
        known: dict[str, int | None] = {"daily.urge": urge, "daily.intent": intent}
        found = [
            baseline.judge_answer("daily", item, known[f"daily.{item}"], known, CALM, TODAY, signed)
            for item in ("urge", "intent")
        ]
        return max((finding.level.rank for finding in found if finding), default=-1)

    assert rank(max(urge, more_urge), max(intent, more_intent)) >= rank(urge, intent)
