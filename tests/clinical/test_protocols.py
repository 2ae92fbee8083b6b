"""Protocols are data: two shipped ones planned by the same code, and a clinic's own with clear errors."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.clinical.data import BadFile
from bot.clinical.diary import Infusion
from bot.clinical.library import Library
from bot.clinical.protocol import read
from bot.clinical.schedule import PlannedCheckIn, Preferences, plan
from bot.clinical.terms import Phase

MONDAY = date(2026, 3, 2)
LIBRARY = Library.load()


def infusions(*days: int) -> tuple[Infusion, ...]:
    return tuple(
        Infusion(number, datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(days=day), MONDAY + timedelta(days=day),
                 Phase.INDUCTION)
        for number, day in enumerate(days, 1)
    )  # fmt: skip


def planned(
    protocol: str, given: tuple[Infusion, ...], last_given: dict[str, date] | None = None, days: int = 70
) -> dict[tuple[int, str], PlannedCheckIn]:
    """By day and slot; the patient enrolled on the Monday, which is their weekday."""
    found = plan(
        LIBRARY.protocol(protocol), infusions=given, preferences=Preferences("Europe/Berlin", time(16), 0),
        enrolled_on=MONDAY, first=MONDAY, last=MONDAY + timedelta(days=days), last_given=last_given,
    )  # fmt: skip
    return {((one.day - MONDAY).days, one.slot): one for one in found}


def asked(check_in: PlannedCheckIn) -> set[str]:
    return {part.instrument for part in check_in.parts}


def days_with(instrument: str, plan_: dict[tuple[int, str], PlannedCheckIn]) -> list[int]:
    return sorted(day for (day, _), one in plan_.items() if instrument in asked(one))


def test_ketamine_and_esketamine_are_planned_by_the_same_code() -> None:
    ketamine = planned("ketamine-iv", infusions(3))
    assert {slot for day, slot in ketamine if day == 3} == {"morning", "evening"}
    assert asked(ketamine[4, "daily"]) >= {"daily", "next_day"}
    assert (63, "daily") in ketamine
    assert (64, "daily") not in ketamine  # 60 days after the last infusion, then weekly
    assert asked(ketamine[70, "weekly"]) >= {"daily", "phq9"}

    spray = planned("esketamine-nasal", infusions(1, 4, 8, 11))  # twice a week
    assert {slot for day, slot in spray if day == 4} == {"evening"}
    assert spray[5, "daily"].infusion == 2
    assert (39, "daily") in spray and (40, "daily") not in spray


def test_weekly_biweekly_and_monthly_questionnaires() -> None:
    shown = planned("ketamine-iv", infusions(3))
    assert days_with("phq9", shown) == [0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 70]
    assert days_with("gad7", shown) == [7, 21, 35, 49, 63]
    assert days_with("monthly", shown) == [35, 63]  # the first Monday four weeks after the first infusion
    assert days_with("asq", shown) == [7]  # once, when it was not answered at enrolment
    assert "asq4ever" in next(part.items for part in shown[7, "daily"].parts if part.instrument == "asq")


@pytest.mark.parametrize(("days_ago", "asks"), [(6, False), (7, True)])
def test_phq9_on_the_infusion_morning_when_the_last_is_older_than_six_days(days_ago: int, asks: bool) -> None:
    tuesday = infusions(8)
    last = {"phq9": MONDAY + timedelta(days=8 - days_ago), "asq": MONDAY}
    found = plan(
        LIBRARY.protocol("ketamine-iv"), infusions=tuesday, preferences=Preferences("UTC", time(16), 6),
        enrolled_on=MONDAY, first=MONDAY + timedelta(days=8), last=MONDAY + timedelta(days=8), last_given=last,
    )  # fmt: skip
    assert [one.slot for one in found] == ["morning", "evening"]
    assert ("phq9" in asked(found[0])) is asks


def test_what_was_never_answered_is_asked_on_the_next_day() -> None:
    tuesday = MONDAY + timedelta(days=1)
    (one,) = plan(
        LIBRARY.protocol("ketamine-iv"), infusions=(), preferences=Preferences("UTC"), enrolled_on=MONDAY,
        first=tuesday, last=tuesday,
    )  # fmt: skip
    assert asked(one) == {"daily", "phq9"}


def test_a_dense_induction_numbers_each_day_from_the_latest_infusion() -> None:
    shown = planned("ketamine-iv", infusions(0, 1, 3, 3))
    assert [(one.infusion, one.day_number) for (day, _), one in sorted(shown.items()) if day in (2, 4)] == [
        (2, 1),
        (4, 1),
    ]
    assert len(shown) == len({(one.day, one.slot) for one in shown.values()})


def test_after_a_discharge_there_is_a_question_every_day() -> None:
    after = MONDAY + timedelta(days=80)
    found = plan(
        LIBRARY.protocol("ketamine-iv"), infusions=infusions(0), preferences=Preferences("UTC"), enrolled_on=MONDAY,
        first=after, last=after + timedelta(days=13), daily_until=after + timedelta(days=9),
        last_given={"phq9": after, "asq": after},
    )  # fmt: skip
    assert [(one.day - after).days for one in found] == [*range(10), 11]  # then weekly again, on the Monday


GOOD = """
code = "ours"
before = ["daily@1"]
weekly_after = ["daily@1"]
remind_after_hours = 2
recurring = []

[[slots]]
name = "daily"
days = [0, 30]
parts = ["daily@1"]
"""


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('code = "ours"', 'code = "ketamine-iv"', "a code that no other protocol has"),
        ('before = ["daily@1"]', 'before = ["daily"]', "read 'daily', expected an instrument and its version"),
        ('before = ["daily@1"]', 'before = ["daily@9"]', "read 'daily@9'"),
        ("days = [0, 30]", "days = [30, 0]", "the first and the last day"),
        ("remind_after_hours = 2", "", "remind_after_hours: read None"),
        ("recurring = []", 'recurring = [{ part = "phq9@1" }]', "either every_weeks, 1 or more, or once"),
        ('weekly_after = ["daily@1"]', 'weekly_after = ["daily@1:joy"]', "items that exist"),
    ],
)
def test_a_protocol_that_cannot_be_used_says_why(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    assert read(GOOD, "ours.toml").code == "ours"
    (tmp_path / "ours.toml").write_text(GOOD.replace(was, becomes), encoding="utf-8")
    with pytest.raises(BadFile, match=said.replace("[", r"\[")):
        Library.load(None, tmp_path)
