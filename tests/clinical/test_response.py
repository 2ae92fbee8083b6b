"""The response after each infusion, and what is said when it cannot be said; the trial of other limits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.clinical import backtest
from bot.clinical.backtest import Day
from bot.clinical.diary import Diary
from bot.clinical.replay import trial
from bot.clinical.response import CannotSay, InfusionResponse, NotYet, Phq9, responses
from bot.clinical.rules import Limits
from bot.clinical.terms import Outcome

FIRST = date(2026, 1, 5)
LOW = [2, 2, 2, 2]
HIGH = [7, 6, 7, 6, 7, 6, 7]
HELD: list[int | None] = [7, 7, 7]


def diary(*courses: Sequence[int | None], totals: dict[int, int] | None = None) -> Diary:
    moods: list[tuple[int | None, bool]] = [(mood, False) for mood in LOW]
    for course in courses:
        moods += [(None, True), *((mood, False) for mood in course)]
    return backtest.diary_of(
        [
            Day("1", day := FIRST + timedelta(days=n), day.isoformat(), mood, infusion, (totals or {}).get(n))
            for n, (mood, infusion) in enumerate(moods)
        ]
    )


def last(known: Diary) -> InfusionResponse:
    return responses(known, known.check_ins[-1].day)[-1]


def test_the_gain_and_the_best_week() -> None:
    found = last(diary([*HIGH, 8, 8, 8, 8, 8, 8, 8, 5]))
    assert found.gain is not None and round(found.gain, 2) == 4.57
    assert found.best_week is not None
    assert (found.best_week.first_day, found.best_week.mean.value, found.best_week.mean.answered) == (8, 8.0, 7)


@pytest.mark.parametrize(
    ("after", "half_lost", "earliest"),
    [
        ([*HIGH, *HELD], NotYet(), None),
        ([*HIGH, *HELD, 3, 3, 3], 11, 11),
        ([*HIGH, *HELD, None, None, None, None, 3, 3, 3], 15, 11),  # nobody knows about days 11 to 14
        ([*HIGH, *HELD, *[None] * 8], CannotSay(), None),  # silent for a week: it may be gone
        ([7, 7, None, None, None, None, None, *HELD], CannotSay(), None),
        ([2, 2, 2, 2, 2, 2, 2, *HELD], CannotSay(), None),
    ],
)
def test_the_day_on_which_half_the_gain_was_lost(
    after: list[int | None], half_lost: int | NotYet | CannotSay, earliest: int | None
) -> None:
    found = last(diary(after))
    assert (found.half_lost, found.half_lost_earliest) == (half_lost, earliest)


def test_an_earlier_course_that_held_until_the_next_infusion_says_so() -> None:
    first, second = responses(known := diary([*HIGH, *HELD], [7, 7]), known.check_ins[-1].day)
    assert isinstance(first.half_lost, NotYet)
    assert isinstance(second.half_lost, CannotSay)  # two answers are no level of its own


def test_response_and_remission_are_those_of_the_latest_phq9() -> None:
    found = last(diary([*HIGH, *HELD], totals={0: 18, 8: 4, 14: 8})).phq9
    assert found == Phq9(before=18, best=4, latest=8)
    assert found.response and not found.remission
    assert last(diary([*HIGH, *HELD], totals={8: 4})).phq9 is None


def test_days_answered_of_days_asked() -> None:
    known = diary([*HIGH, None, None, 7])
    reached = tuple(replace(row, outcome=Outcome.MISSED) if n == 12 else row for n, row in enumerate(known.check_ins))
    found = last(replace(known, check_ins=reached))
    assert (found.answered, found.asked, found.elapsed) == (8, 9, 10)


def test_a_trial_shows_what_other_limits_would_have_done() -> None:
    known = diary([*HIGH, 4, 4, 7, 7, 7, 7, 7])
    today = known.check_ins[-1].day
    tried = trial(known, today, Limits(), Limits().with_overrides({"loss_days": 2}))
    assert [entry.finding.reason for entry in tried.before if entry.is_alert] == []
    assert [entry.finding.reason for entry in tried.after if entry.is_alert] == ["r1.lost"]
    assert trial(known, today + timedelta(days=70), Limits(), Limits()).before == ()
