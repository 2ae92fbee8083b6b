"""A series of days from a table, as a diary; what the rules find in it, and how many alerts that makes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot.clinical import replay as replaying
from bot.clinical import rules
from bot.clinical.diary import CheckIn, Diary, Infusion, Response
from bot.clinical.terms import Finding, Outcome, Phase, Rule

FIRST_DAY = date(2000, 1, 3)  # day 0 of a series whose days are numbers
INDUCTION_INFUSIONS = 6
PHQ9_ITEMS, PHQ9_HIGHEST = 9, 3
DAYS_A_MONTH = 30.44
SCALE = 10


class BadSeries(ValueError):
    """A row that cannot be replayed; names line and column."""

    def __init__(self, line: int, column: str, read: object, expected: str) -> None:
        super().__init__(f"line {line}, {column}: read {read!r}, expected {expected}")


@dataclass(frozen=True, slots=True)
class Day:
    """One row: moods, urge and intent are 0-10, `phq9` a total of 0-27; None is missing, `missed` was asked in vain."""

    person: str
    day: date
    label: str  # as it was written: a number or a date
    mood: int | None = None
    infusion: bool = False
    phq9: int | None = None
    urge: int | None = None
    intent: int | None = None
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    person: str
    day: date
    label: str
    finding: Finding
    is_alert: bool  # False: a NOTE


@dataclass(frozen=True, slots=True)
class Load:
    """Alerts per patient-month of 30.44 days, from the first to the last day of each person."""

    months: float
    alerts: int
    safety_alerts: int

    @property
    def per_month(self) -> float:
        return self.alerts / self.months if self.months else 0.0

    @property
    def without_safety(self) -> float:
        return (self.alerts - self.safety_alerts) / self.months if self.months else 0.0


def read(rows: Iterable[Mapping[str, str | None]]) -> list[Day]:
    """Rows with `person,day,mood` and, when known, `infusion,phq9,urge,intent,missed`; sorted. Raises `BadSeries`."""
    found = [_day(row, line) for line, row in enumerate(rows, 2)]
    return sorted(found, key=lambda day: (day.person, day.day))


def replay(days: Sequence[Day], limits: rules.Limits | None = None, *, reviewed: bool = False) -> list[Replayed]:
    """What the rules find, person by person and day by day."""
    people: dict[str, list[Day]] = {}
    for day in days:
        people.setdefault(day.person, []).append(day)
    return [found for person in people.values() for found in _replay(person, limits or rules.Limits(), reviewed)]


def _replay(days: list[Day], limits: rules.Limits, reviewed: bool) -> list[Replayed]:
    labels = {day.day: day.label for day in days}
    return [
        Replayed(days[0].person, judged.day, labels[judged.day], judged.finding, judged.is_alert)
        for judged in replaying.replay(diary_of(days), limits, reviewed=reviewed)
    ]


def load(days: Sequence[Day], found: Sequence[Replayed]) -> Load:
    spans: dict[str, tuple[date, date]] = {}
    for day in days:
        first, last = spans.get(day.person, (day.day, day.day))
        spans[day.person] = min(first, day.day), max(last, day.day)
    months = sum((last - first).days + 1 for first, last in spans.values()) / DAYS_A_MONTH
    alerts = [entry for entry in found if entry.is_alert]
    return Load(months, len(alerts), sum(entry.finding.rule == Rule.SUICIDAL_THOUGHTS for entry in alerts))


def diary_of(days: Sequence[Day]) -> Diary:
    """One person's days as a diary. A PHQ-9 total is spread over the items from the first on, item 9 last."""
    given = [day.day for day in days if day.infusion]
    return Diary(
        patient=days[0].person, zone="UTC", language="en", enrolled_on=days[0].day,
        infusions=tuple(
            Infusion(
                number, datetime.combine(day, time(10, 0), UTC), day,
                Phase.INDUCTION if number <= INDUCTION_INFUSIONS else Phase.MAINTENANCE,
            )
            for number, day in enumerate(given, 1)
        ),
        check_ins=tuple(_check_in(day) for day in days),
    )  # fmt: skip


def _check_in(day: Day) -> CheckIn:
    at = datetime.combine(day.day, time(17, 0), UTC)
    answers = {("daily", "mood"): day.mood, ("daily", "urge"): day.urge, ("daily", "intent"): day.intent}
    if day.phq9 is not None:
        left = day.phq9
        for number in range(1, PHQ9_ITEMS + 1):
            answers["phq9", f"item{number}"] = min(left, PHQ9_HIGHEST)
            left -= min(left, PHQ9_HIGHEST)
    responses = tuple(
        Response(instrument, "1", item, value, 1, at)
        for (instrument, item), value in answers.items()
        if value is not None
    )
    outcome = Outcome.ANSWERED if responses else Outcome.MISSED if day.missed else Outcome.UNDELIVERED
    return CheckIn(day.label, "daily", day.day, at, outcome, responses=responses)


def _day(row: Mapping[str, str | None], line: int) -> Day:
    person, label = (row.get("person") or "").strip(), (row.get("day") or "").strip()
    if not person:
        raise BadSeries(line, "person", person, "a name or number")
    return Day(
        person, _date(label, line), label,
        mood=_number(row, "mood", SCALE, line), infusion=bool(_number(row, "infusion", 1, line)),
        phq9=_number(row, "phq9", PHQ9_ITEMS * PHQ9_HIGHEST, line), urge=_number(row, "urge", SCALE, line),
        intent=_number(row, "intent", SCALE, line), missed=bool(_number(row, "missed", 1, line)),
    )  # fmt: skip


def _date(label: str, line: int) -> date:
    try:
        return FIRST_DAY + timedelta(days=int(label)) if label.lstrip("-").isdigit() else date.fromisoformat(label)
    except (ValueError, OverflowError):
        raise BadSeries(line, "day", label, "a whole number or YYYY-MM-DD") from None


def _number(row: Mapping[str, str | None], column: str, highest: int, line: int) -> int | None:
    """Rounded to a whole number; "NA" and empty are missing; for yes and no, "true" and "yes" count as 1."""
    text = (row.get(column) or "").strip().casefold()
    if text in ("", "na", "nan", "none", "null"):
        return None
    if highest == 1 and text in ("true", "yes", "x", "false", "no"):
        return int(text in ("true", "yes", "x"))
    try:
        value = round(float(text))
    except (ValueError, OverflowError):
        raise BadSeries(line, column, text, f"a number from 0 to {highest}") from None
    if not 0 <= value <= highest:
        raise BadSeries(line, column, text, f"a number from 0 to {highest}")
    return value
