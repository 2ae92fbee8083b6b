"""R1 to R7, each at its limits: one test a sentence of docs/alert-rules.md."""

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot.clinical import backtest, rules
from bot.clinical.backtest import Day
from bot.clinical.diary import AlertEntry, Diary, Event
from bot.clinical.rules import BadLimit, Limits, judge, mood
from bot.clinical.terms import Finding, Level, Mode, Outcome, Rule
from bot.texts import load

FIRST = date(2026, 1, 5)
LOW = [2, 2, 2, 2]  # before treatment
WEEK = [7, 6, 7, 6, 7, 6, 7]  # mean 6.57, and the gain 4.57
Moods = Sequence[int | None]


def diary(*courses: Moods, before: Moods = LOW, totals: dict[int, int] | None = None) -> Diary:
    """One row a day: the days before treatment, then for each course its infusion and the days after it."""
    moods: list[tuple[int | None, bool]] = [(mood, False) for mood in before]
    for course in courses:
        moods += [(None, True), *((mood, False) for mood in course)]
    days = [FIRST + timedelta(days=n) for n in range(len(moods))]
    return backtest.diary_of(
        [
            Day("1", day, day.isoformat(), mood, infusion, (totals or {}).get(n), missed=mood is None and not infusion)
            for n, (day, (mood, infusion)) in enumerate(zip(days, moods, strict=True))
        ]
    )


def today(known: Diary) -> date:
    return known.check_ins[-1].day


def found(known: Diary, limits: Limits | None = None) -> dict[str, Level]:
    return {finding.reason: finding.level for finding in judge(known, today(known), limits)}


def the(reason: str, known: Diary) -> Finding:
    return next(finding for finding in judge(known, today(known)) if finding.reason == reason)


# R1


def test_r1_three_of_five_with_the_latest_among_them() -> None:
    assert "r1.lost" not in found(diary([*WEEK, 4, 4]))
    assert found(diary([*WEEK, 4, 4, 4]))["r1.lost"] == Level.ORANGE
    assert "r1.lost" not in found(diary([*WEEK, 4, 4, 4, 7]))
    assert found(diary([*WEEK, 4, 4, 7, 7, 4]))["r1.lost"] == Level.ORANGE


def test_r1_says_what_a_nurse_needs() -> None:
    lost = the("r1.lost", diary([*WEEK, 4, 4, 3]))
    sentence = load().say(f"finding.{lost.reason}", "en", **lost.values)
    assert sentence == (
        "Mood 3; own level after this infusion is 6.6. Below the limit 4.3 on 3 of the last 3 answered days"
    )


def test_r1_the_days_of_the_reference_itself_do_not_count() -> None:
    assert "r1.lost" not in found(diary([8, 8, 8, 8, 1, 1, 1]))


def test_r1_a_reference_needs_four_answers_after_the_day_of_the_infusion() -> None:
    gone = [4, 4, 4, 4]
    assert "r1.lost" in found(diary([7, None, 7, None, 7, None, 7, *gone]))
    assert "r1.lost" not in found(diary([7, None, 7, None, 7, None, None, *gone]))


def test_r1_the_reference_is_kept_until_a_new_one_exists() -> None:
    """Also in a dense induction, and while the first week after a new infusion is running."""
    assert "r1.lost" in found(diary(WEEK, [7, 4, 4, 4]))
    assert "r1.lost" in found(diary(WEEK, [7], [7, 4, 4, 4]))
    # Four answers are there, but the week is not over: still the infusion before.
    assert "r1.lost" in found(diary(WEEK, [4, 4, 4, 4, 4]))


def test_r1_without_before_needs_a_reference_of_five_and_a_wider_fall() -> None:
    assert "r1.lost_without_before" in found(diary([*WEEK, 3, 3, 3], before=[]))
    assert "r1.lost_without_before" not in found(diary([*WEEK, 5, 5, 5], before=[]))
    assert "r1.lost_without_before" not in found(diary([4, 5, 5, 4, 5, 5, 5, 1, 1, 1], before=[]))


def test_r1_no_response_is_a_note_once_and_worse_is_yellow() -> None:
    assert found(diary([2, 3, 2, 3, 2, 2, 2]))["r1.none"] == Level.NOTE
    assert "r1.none" not in found(diary([2, 3, 2, 3, 2, 2, 2, 2]))
    assert found(diary([2, 3, 2, 3, 2, 2, None, 2]))["r1.none"] == Level.NOTE  # day 7 had no answer
    assert found(diary([3] * 7, before=[5] * 4))["r1.worse"] == Level.YELLOW
    assert "r1.worse" not in found(diary([4] * 7, before=[5] * 4))


def test_r1_a_phq9_five_above_the_one_before_treatment_is_worse() -> None:
    assert found(diary(WEEK, totals={0: 10, 11: 15}))["r1.worse_phq9"] == Level.YELLOW
    assert "r1.worse_phq9" not in found(diary(WEEK, totals={0: 10, 11: 14}))
    assert "r1.worse_phq9" not in found(diary(WEEK, before=[], totals={3: 10, 7: 20}))  # enrolled in maintenance


# R2


def test_r2_a_slow_drift_below_the_own_level() -> None:
    assert found(diary([*WEEK, 5, 5, 5, 5, 5, 4, 4, 4]))["r2.below"] == Level.YELLOW
    assert "r2.below" not in found(diary([*WEEK, 6, 6, 6, 6, 6, 6, 6]))


def test_r2_needs_two_answered_days_in_a_row() -> None:
    lowest = [*WEEK, 0]
    days = next(f.values["days"] for n in range(9) for f in judged([*lowest, *[0] * n]) if f.reason == "r2.below")
    assert days == 2


def judged(moods: Moods) -> tuple[Finding, ...]:
    known = diary(moods)
    return judge(known, today(known))


# R3


def test_r3_a_fall_of_four_below_the_week_and_again() -> None:
    steady = [6] * 10
    assert found(diary(before=[*steady, 2]))["r3.sharp"] == Level.YELLOW
    assert found(diary(before=[*steady, 2, 2]))["r3.sharp_again"] == Level.ORANGE
    assert "r3.sharp" not in found(diary(before=[*steady, 3]))
    assert "r3.sharp" not in found(diary(before=[6, 6, 6, 2]))  # three answers make no median


def test_r3_a_patient_who_always_swings_has_a_wider_limit() -> None:
    assert "r3.sharp" not in found(diary(before=[9, 3, 9, 3, 9, 3, 9, 3, 9, 3, 9, 3, 9, 4]))


def test_r3_very_low_twice_is_orange_unless_it_is_usual() -> None:
    assert found(diary(before=[4, 4, 4, 4, 4, 1, 1]))["r3.very_low"] == Level.ORANGE
    assert found(diary(before=[1, 2, 1, 2, 1, 1]))["r3.low"] == Level.NOTE


def test_r3_the_graver_of_two_counts() -> None:
    known = diary(before=[6, 6, 6, 6, 6, 1, 1])
    assert [f.level for f in judge(known, today(known)) if f.rule == Rule.SHARP_DROP] == [Level.ORANGE]


def test_r3_two_weeks_low_is_yellow_every_28_days() -> None:
    assert found(diary(before=[2] * 14))["r3.long_low"] == Level.YELLOW
    assert "r3.long_low" not in found(diary(before=[2] * 13 + [4]))
    flat = [Day("1", FIRST + timedelta(days=n), str(n), (1, 2, 2)[n % 3], missed=False) for n in range(70)]
    alarms = [int(entry.label) for entry in backtest.replay(flat) if entry.is_alert]
    assert [later - earlier for earlier, later in pairwise(alarms)] == [28, 28]


# R4


@pytest.mark.parametrize(
    ("totals", "reason"),
    [
        ([18, 22], None),
        ([12, 17], "r4.note"),
        ([10, 4, 9], "r4.note"),
        ([12, 8, 14, 14], "r4.rise"),
        ([12, 8, 13, 14], None),
        ([20, 8, 12, 12], "r4.lost"),
        ([20, 8, 12, 9], None),
        ([20, 12, 11, 12], None),
    ],
)
def test_r4(totals: list[int], reason: str | None) -> None:
    known = found(diary(before=[5] * 30, totals={n * 7: total for n, total in enumerate(totals)}))
    if reason is None:
        assert {"r4.rise", "r4.lost"}.isdisjoint(known)
    else:
        assert reason in known


def test_r4_an_incomplete_questionnaire_and_one_by_somebody_else_have_no_total() -> None:
    known = diary(before=[5] * 10, totals={0: 5, 8: 20})
    assert "r4.note" in found(known)
    last = known.check_ins[8]
    partial = replace(last, responses=last.responses[:-1])
    by_proxy = replace(last, responses=tuple(replace(r, mode=Mode.PROXY) for r in last.responses))
    for other in (partial, by_proxy):
        changed = replace(known, check_ins=(*known.check_ins[:8], other, *known.check_ins[9:]))
        assert "r4.note" not in found(changed)


# R5


def missed(times: int, *, infusion_days_ago: int = 40, level: Level | None = None, closed: bool = True) -> Diary:
    days = [FIRST + timedelta(days=n) for n in range(50)]
    rows = [
        Day("1", day, str(n), None if n >= 50 - times else 5, n == 49 - infusion_days_ago, missed=n >= 50 - times)
        for n, day in enumerate(days)
    ]
    known = backtest.diary_of(rows)
    if level is None:
        return known
    return replace(known, alerts=(entry(Rule.SUICIDAL_THOUGHTS, level, days[46], closed=closed),))


def entry(rule: Rule, level: Level, day: date, *, closed: bool = True, reason: str = "r1.lost") -> AlertEntry:
    moment = datetime.combine(day, time(18), UTC)
    return AlertEntry("A", rule, level, reason, {}, day, moment, closed_at=moment if closed else None)


def test_r5_the_second_miss_gets_a_gentle_message_and_the_team_hears_later() -> None:
    assert [rules.wants_gentle_message(missed(n)) for n in (1, 2, 3)] == [False, True, False]
    levels = [rules.judge_silence(missed(n), FIRST + timedelta(days=49)) for n in (3, 4)]
    assert [finding.level if finding else None for finding in levels] == [None, Level.YELLOW]


def test_r5_is_earlier_near_an_infusion_or_a_discharge() -> None:
    last = FIRST + timedelta(days=49)
    assert rules.judge_silence(missed(3, infusion_days_ago=14), last) is not None
    assert rules.judge_silence(missed(3, infusion_days_ago=15), last) is None
    gone = replace(missed(3), events=(Event(last - timedelta(days=10), "discharge"),))
    assert rules.judge_silence(gone, last) is not None


def test_r5_one_miss_in_the_week_after_danger_is_orange() -> None:
    last = FIRST + timedelta(days=49)
    after = rules.judge_silence(missed(1, level=Level.ORANGE), last)
    assert after is not None and after.level == Level.ORANGE
    assert rules.judge_silence(missed(1, level=Level.YELLOW), last) is None
    assert rules.judge_silence(missed(1, level=Level.ORANGE), last + timedelta(days=8)) is None
    assert rules.judge_silence(missed(1, level=Level.ORANGE, closed=False), last + timedelta(days=8)) is not None


def test_r5_what_was_not_delivered_is_not_silence() -> None:
    known = missed(4)
    undelivered = tuple(
        replace(row, outcome=Outcome.UNDELIVERED) if row.outcome is Outcome.MISSED else row for row in known.check_ins
    )
    assert rules.judge_silence(replace(known, check_ins=undelivered), FIRST + timedelta(days=49)) is None


def test_r5_blocked_and_breaks() -> None:
    last = FIRST + timedelta(days=49)
    assert rules.judge_blocked(missed(0), last).level == Level.YELLOW
    assert rules.judge_blocked(missed(0, level=Level.YELLOW), last).level == Level.ORANGE
    assert rules.judge_break(missed(0), last, "r5.paused").level == Level.NOTE
    assert rules.judge_break(missed(0, level=Level.YELLOW), last, "r5.paused").level == Level.YELLOW
    assert rules.judge_break(missed(0, infusion_days_ago=3), last, "r5.paused").level == Level.YELLOW


# R6


@pytest.mark.parametrize(
    ("instrument", "item", "value", "level"),
    [
        ("side_effects", "chest_pain", 1, Level.RED),
        ("side_effects", "breathing", 1, Level.RED),
        ("side_effects", "fainting", 1, Level.RED),
        ("side_effects", "fainting", 0, None),
        ("side_effects", "confusion", 2, None),
        ("next_day", "confusion", 1, Level.ORANGE),
        ("next_day", "dissociation", 1, Level.ORANGE),
        ("next_day", "drove", 1, None),
        ("monthly", "urinary", 1, Level.ORANGE),
        ("monthly", "psychotic", 1, Level.ORANGE),
        ("side_effects", "nausea", 3, Level.YELLOW),
        ("side_effects", "nausea", 2, None),
        ("monthly", "memory", 3, Level.YELLOW),
        ("monthly", "craving", 7, Level.YELLOW),
        ("monthly", "craving", 6, None),
        ("monthly", "use_outside", 1, Level.YELLOW),
        ("monthly", "short_nights", 2, Level.YELLOW),
        ("monthly", "short_nights", 1, None),
        ("side_effects", "nausea", None, None),
        ("daily", "mood", 3, None),
    ],
)
def test_r6_answers(instrument: str, item: str, value: int | None, level: Level | None) -> None:
    finding = rules.judge_side_effect(instrument, item, value, FIRST)
    assert (finding.level if finding else None) == level


def test_r6_three_very_high_days_after_a_low_week() -> None:
    assert found(diary(before=[4, 5, 4, 5, 9, 9, 9]))["r6.elated"] == Level.YELLOW
    assert "r6.elated" not in found(diary(before=[6, 7, 6, 7, 9, 9, 9]))
    assert "r6.elated" not in found(diary(before=[4, 5, 4, 5, 9, 8, 9]))


# R7


def test_r7_a_new_level_far_below_the_first_three() -> None:
    weeks = [[8] * 7, [8] * 7, [8] * 7]
    assert found(diary(*weeks, [6] * 7))["r7.fading"] == Level.YELLOW
    assert "r7.fading" not in found(diary(*weeks, [7] * 7))
    assert "r7.fading" not in found(diary([8] * 7, [6] * 7))


# All of them


def test_levels_fire_again_only_after_clear_days_a_rise_or_four_weeks() -> None:
    gone = [4, 4, 4]
    known = diary([*WEEK, *gone, 4])
    lost = the("r1.lost", known)
    first = lost.day - timedelta(days=1)

    def news(alert: AlertEntry, seen: Diary = known, finding: Finding = lost) -> bool:
        return rules.is_new(finding, [alert], seen)

    assert news(entry(Rule.LOSS_OF_RESPONSE, Level.ORANGE, first, closed=False))
    assert not news(entry(Rule.LOSS_OF_RESPONSE, Level.ORANGE, lost.day, closed=False))  # the same day's judged again
    assert not news(entry(Rule.LOSS_OF_RESPONSE, Level.ORANGE, first))
    assert news(entry(Rule.LOSS_OF_RESPONSE, Level.YELLOW, first))
    assert news(entry(Rule.LOSS_OF_RESPONSE, Level.ORANGE, lost.day - timedelta(days=28)))
    assert news(entry(Rule.SHARP_DROP, Level.RED, first))
    # The first days of a new fall, before there are three, are days without the condition too.
    for between, expected in ((2, False), (3, True)):
        back = diary([*WEEK, *gone, *[7] * between, *gone])
        again = the("r1.lost", back)
        assert news(entry(Rule.LOSS_OF_RESPONSE, Level.ORANGE, first), back, again) == expected


def test_a_condition_that_goes_on_is_not_news_after_five_days() -> None:
    known = diary([*WEEK, *[3] * 20])
    lost = the("r1.lost", known)
    alert = entry(Rule.LOSS_OF_RESPONSE, Level.ORANGE, lost.day - timedelta(days=15))
    assert not rules.is_new(lost, [alert], known)


def test_silence_after_danger_is_news_again_after_one_answer() -> None:
    last = FIRST + timedelta(days=49)
    silence = rules.judge_silence(missed(1, level=Level.ORANGE), last)
    assert silence is not None
    for days_ago, expected in ((1, False), (2, True)):
        alert = entry(Rule.SILENCE, Level.ORANGE, last - timedelta(days=days_ago), reason="r5.after_danger")
        assert rules.is_new(silence, [alert], missed(1)) == expected


def test_a_rule_that_fails_is_reviewed_by_a_human_and_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    known = diary([*WEEK, 4, 4, 4])

    def broken(*_: object) -> float | None:
        raise ZeroDivisionError

    monkeypatch.setattr(mood, "ewma_limit", broken)
    seen = {finding.rule: finding for finding in judge(known, today(known))}
    assert seen[Rule.LOSS_OF_RESPONSE].level == Level.ORANGE
    assert seen[Rule.DROP_BELOW_REFERENCE].reason == "needs_review"
    assert seen[Rule.DROP_BELOW_REFERENCE].level == Level.YELLOW


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (diary(before=[5, 5]), {"no_infusion", "few_answers", "few_totals", "few_references"}),
        (diary([7, 7]), {"first_week", "low_median", "few_totals", "few_references"}),
        (diary([7, None, 7, None, 7, None, None, 6]), {"no_reference", "few_totals", "few_references"}),
        (diary([2] * 7), {"no_response", "low_median", "few_totals", "few_references"}),
        (diary([4] * 7), {"small_gain", "few_totals", "few_references"}),
        (diary([4] * 7, before=[]), {"low_reference", "few_totals", "few_references"}),
        (diary(WEEK, before=[]), {"no_before", "few_totals", "few_references"}),
        (diary(WEEK, WEEK, WEEK, WEEK, totals={0: 3, 7: 3}), set()),
    ],
)
def test_the_card_says_which_rules_cannot_alarm(known: Diary, expected: set[str]) -> None:
    blind = rules.blind_rules(known, today(known))
    texts = load()
    for one in blind:
        assert texts.say(f"blind.{one.reason}", "en", **one.values)
    assert {one.reason for one in blind} == expected


@pytest.mark.parametrize(
    ("name", "value"), [("nonsense", 1), ("fading", -1), ("loss_days", 2.5), ("loss_window", 0), ("ewma_weight", 1)]
)
def test_a_limit_that_cannot_work_is_refused(name: str, value: float) -> None:
    with pytest.raises(BadLimit, match=name):
        Limits().with_overrides({name: value})


def test_other_limits_give_other_findings() -> None:
    known = diary([*WEEK, 4, 4])
    assert "r1.lost" in found(known, Limits().with_overrides({"loss_days": 2}))


def test_the_document_names_every_limit_with_its_value() -> None:
    text = (Path(__file__).parents[2] / "docs" / "alert-rules.md").read_text(encoding="utf-8")
    written = {name: float(value) for name, value in re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", text, re.MULTILINE)}
    assert written == {field.name: float(getattr(Limits(), field.name)) for field in fields(Limits)}
