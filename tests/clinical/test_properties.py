"""Laws that hold for every input."""

from datetime import UTC, date, time, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.clinical import backtest, replay, rules, safety
from bot.clinical.backtest import Day
from bot.clinical.instrument import Incomplete, Score
from bot.clinical.library import Library
from bot.clinical.schedule import Preferences, diary_day, plan
from bot.clinical.terms import Level, Rule
from bot.texts import load

LIBRARY = Library.load(None)
BANDS = {
    "phq9": {0: "minimal", 5: "mild", 10: "moderate", 15: "moderately_severe", 20: "severe"},
    "gad7": {0: "minimal", 5: "mild", 10: "moderate", 15: "severe"},
}
ITEMS = {"phq9": 9, "gad7": 7}
TEXTS = load()
ZONES = sorted(available_timezones())

day_rows = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 10)),  # mood
        st.booleans(),  # infusion
        st.one_of(st.none(), st.integers(0, 27)),
        st.one_of(st.none(), st.integers(0, 10)),
        st.one_of(st.none(), st.integers(0, 10)),
        st.booleans(),  # missed
        st.integers(1, 9),  # days since the row before
    ),
    min_size=1,
    max_size=60,
)
Rows = list[tuple[int | None, bool, int | None, int | None, int | None, bool, int]]


def series(rows: Rows) -> list[Day]:
    day, made = backtest.FIRST_DAY, []
    for mood, infusion, phq9, urge, intent, missed, gap in rows:
        day += timedelta(days=gap)
        made.append(Day("1", day, day.isoformat(), mood, infusion, phq9, urge, intent, missed))
    return made


@pytest.mark.parametrize("code", sorted({code for code, _ in LIBRARY.by_version}))
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_score_is_a_sum_in_its_band_or_incomplete_or_there_is_none(code: str, data: st.DataObject) -> None:
    instrument = LIBRARY.instrument(code)
    given_answers = {
        item.code: data.draw(st.one_of(st.none(), st.integers(item.low, item.high)), label=item.code)
        for item in instrument.items
    }
    score = instrument.score(given_answers)
    if code not in BANDS:
        assert score is None
        return
    values = [given_answers[f"item{n}"] for n in range(1, ITEMS[code] + 1)]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        assert isinstance(score, Incomplete)
        assert len(score.unanswered) == len(values) - len(known)
    else:
        assert isinstance(score, Score)
        assert (score.low, score.value, score.high) == (0, sum(known), 3 * ITEMS[code])
        assert score.band == BANDS[code][max(lowest for lowest in BANDS[code] if lowest <= sum(known))]


@given(day_rows)
@settings(deadline=None, max_examples=150)
def test_rules_never_raise(rows: Rows) -> None:
    for entry in backtest.replay(series(rows), reviewed=True):
        assert entry.finding.level in Level
        assert entry.finding.reason != "needs_review"  # a rule that raised would say so
        assert TEXTS.say(f"finding.{entry.finding.reason}", "es", **entry.finding.values)


@given(day_rows)
@settings(deadline=None, max_examples=60)
def test_what_a_replay_remembers_is_what_looking_back_finds(rows: Rows) -> None:
    """Re-arming by the remembered conditions of a replay, and by judging the days again, is the same."""
    judged = []

    def both(*arguments: Any) -> bool:
        judged.append((rules.is_new(*arguments[:-1]), rules.is_new(*arguments)))
        return judged[-1][0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "rules", SimpleNamespace(**{**vars(rules), "is_new": both}))
        backtest.replay(series(rows))
    assert all(looked_back == remembered for looked_back, remembered in judged)


@given(st.integers(0, 10), st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_a_series_that_never_changes_has_no_fall(mood: int, days: int) -> None:
    rows: Rows = [(mood, n == 5, None, None, None, False, 1) for n in range(days)]
    reasons = {entry.finding.reason for entry in backtest.replay(series(rows)) if entry.is_alert}
    assert not reasons & {"r1.lost", "r2.below", "r3.sharp", "r3.very_low", "r7.fading"}


@given(st.integers(0, 10), st.integers(0, 10), st.integers(0, 10), st.integers(0, 10))
def test_a_worse_answer_never_lowers_the_level(urge: int, intent: int, more_urge: int, more_intent: int) -> None:
    def level(urge: int, intent: int) -> int:
        found = []
        known: dict[str, int | None] = {}
        for item, value in (("urge", urge), ("intent", intent)):
            known[f"daily.{item}"] = value
            finding = safety.judge_answer("daily", item, value, known, safety.History(), date(2026, 1, 1))
            found.append(finding.level.rank if finding else -1)
        return max(found)

    assert level(max(urge, more_urge), max(intent, more_intent)) >= level(urge, intent)


def test_each_cell_of_urge_and_intent_has_exactly_one_tier() -> None:
    for urge in range(11):
        for intent in range(11):
            high = intent >= 8 or (urge >= 8 and intent > 0)
            medium = not high and (intent >= 5 or urge >= 5)
            low = not high and not medium and (urge > 0 or intent > 0)
            expected = next(
                name for name, holds in (("HIGH", high), ("MEDIUM", medium), ("LOW", low), ("NONE", True)) if holds
            )
            assert safety.tier(urge, intent).name == expected


@given(
    st.lists(st.integers(0, 10), min_size=7, max_size=7),
    st.lists(st.integers(0, 10), min_size=1, max_size=14),
    st.data(),
)
@settings(deadline=None, max_examples=100)
def test_lower_moods_after_the_reference_never_hide_a_loss(
    week: list[int], after: list[int], data: st.DataObject
) -> None:
    worse = [data.draw(st.integers(0, mood)) for mood in after]

    def levels(moods: list[int]) -> dict[str, int]:
        rows: Rows = [(2, False, None, None, None, False, 1)] * 4 + [(None, True, None, None, None, False, 1)]
        rows += [(mood, False, None, None, None, False, 1) for mood in [*week, *moods]]
        days = series(rows)
        diary = backtest.diary_of(days)
        found = rules.judge(diary, days[-1].day)
        return {f.rule.value: f.level.rank for f in found if f.reason in ("r1.lost", "r2.below")}

    before, now = levels(after), levels(worse)
    assert all(now.get(rule, -1) >= rank for rule, rank in before.items())


@given(
    st.lists(st.integers(0, 10), min_size=1, max_size=25), st.integers(0, 10), st.one_of(st.none(), st.integers(0, 24))
)
@settings(deadline=None, max_examples=200)
def test_a_lower_mood_today_never_lowers_a_level(moods: list[int], worse: int, infusion: int | None) -> None:
    def levels(last: int) -> dict[str, int]:
        rows: Rows = [(mood, n == infusion, None, None, None, False, 1) for n, mood in enumerate([*moods[:-1], last])]
        days = series(rows)
        found = rules.judge(backtest.diary_of(days), days[-1].day)
        return {f.rule.value: f.level.rank for f in found if f.rule in (Rule.DROP_BELOW_REFERENCE, Rule.SHARP_DROP)}

    before, now = levels(moods[-1]), levels(min(worse, moods[-1]))
    assert all(now.get(rule, -1) >= rank for rule, rank in before.items())


@given(st.sampled_from(ZONES), st.dates(date(1970, 1, 1), date(2040, 12, 1)), st.integers(0, 23), st.integers(0, 59))
@example("Pacific/Apia", date(2011, 12, 20), 16, 0)
@example("Pacific/Kwajalein", date(1993, 8, 10), 3, 30)
@example("Africa/Monrovia", date(1971, 12, 25), 0, 10)
@settings(deadline=None, max_examples=300)
def test_every_local_day_has_one_check_in_inside_of_it(zone: str, first: date, hour: int, minute: int) -> None:
    at = time(hour, minute)
    planned = plan(
        LIBRARY.protocol("ketamine-iv"), infusions=(), preferences=Preferences(zone=zone, hour=at, weekday=0),
        enrolled_on=first, first=first, last=first + timedelta(days=20),
    )  # fmt: skip
    assert [(p.day, p.slot) for p in planned] == [(first + timedelta(days=n), "daily") for n in range(21)]
    for check_in in planned:
        assert check_in.due_at < check_in.expires_at
        assert diary_day(check_in.due_at, zone) == check_in.day
        assert check_in.due_at.astimezone(ZoneInfo(zone)).utcoffset() is not None
    moments = [p.due_at for p in planned]
    assert moments == sorted(moments)
    assert all(moment.tzinfo is UTC or moment.utcoffset() == timedelta(0) for moment in moments)
