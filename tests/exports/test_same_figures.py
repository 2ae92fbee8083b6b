"""PDF, CSV and FHIR carry the same numbers; each figure of the page is computed again from the CSV alone."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from statistics import fmean, median
from typing import Any

import pytest
from pypdf import PdfReader

from bot.clinical.diary import Diary
from bot.clinical.library import Library
from bot.exports import fhir, report, tables
from bot.texts import load
from tests.support import diaries

MADE_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
TODAY = diaries.TODAY
LIBRARY = Library.load(None)
Row = dict[str, str]
Moods = dict[date, int]
PEOPLE = (
    "clear_response_with_fading",
    "non_response",
    "sparse_answers",
    "three_days",
    "dense_induction",
    "nothing_yet",
)


class Exported:
    """One diary in the three formats, each read back."""

    def __init__(self, diary: Diary) -> None:
        made = {"library": LIBRARY, "texts": load(), "language": "en", "made_at": MADE_AT, "clinic": "Test clinic"}
        self.view: dict[str, Any] = report.view(diary, **made)  # type: ignore[arg-type]
        pdf = report.render(diary, **made)  # type: ignore[arg-type]
        self.pages = [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]
        self.page = self.pages[0]
        self.csv = {
            name: list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
            for name, data in tables.render(diary, LIBRARY).items()
        }
        bundle = json.loads(fhir.render(diary, LIBRARY, MADE_AT))
        self.resources: list[dict[str, Any]] = [entry["resource"] for entry in bundle["entry"]]
        self.counted = [row for row in self.csv["responses"] if row["counts"] == "1" and row["value"]]
        own = [row for row in self.counted if row["item"] == "mood" and row["mode"] in ("tap", "typed")]
        self.mood: Moods = {day(row): int(row["value"]) for row in sorted(own, key=lambda row: row["due_utc"])}
        self.given = [day(row) for row in self.csv["infusions"]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [resource for resource in self.resources if resource["resourceType"] == kind]

    def observed(self, code: str) -> list[dict[str, Any]]:
        return [seen for seen in self.of("Observation") if seen["code"]["coding"][0]["code"] == code]


@pytest.fixture(scope="module", params=PEOPLE)
def made(request: pytest.FixtureRequest) -> Exported:
    return Exported(getattr(diaries, request.param)())


def day(row: Row) -> date:
    return date.fromisoformat(row["diary_day"])


def said(when: date) -> str:
    return f"{when.day} {when:%b}".replace("Sep", "Sept") + f" {when.year}"


def short(when: date) -> str:
    return said(when).removesuffix(f" {when.year}")


def before_treatment(made: Exported) -> list[int]:
    return [value for when, value in sorted(made.mood.items()) if made.given and when < made.given[0]][-7:]


def stretches(made: Exported) -> list[Moods]:
    """The moods after each infusion, until the next; the infusion days themselves belong to none."""
    ends = [*made.given[1:], TODAY + timedelta(days=1)][: len(made.given)]
    return [
        {when: value for when, value in made.mood.items() if start < when < end}
        for start, end in zip(made.given, ends, strict=True)
    ]


def test_infusion_and_mood(made: Exported) -> None:
    week = [value for when, value in made.mood.items() if TODAY - timedelta(days=7) < when <= TODAY]
    assert f"{len(week)} of 7 days answered" in made.page
    if week:
        assert f"{fmean(week):.1f} / 10" in made.page
    if made.given:
        assert f"Days since infusion {(TODAY - made.given[-1]).days} no. {len(made.given)}, " in made.page
    else:
        assert "Days since infusion – no infusion recorded" in made.page
    before = before_treatment(made)
    if len(before) >= 3:
        assert f"before treatment {fmean(before):.1f} ({len(before)} of 7 days)" in made.page
    else:
        assert "before treatment: too few answers" in made.page


def test_phq9(made: Exported) -> None:
    found = [row for row in made.csv["scores"] if row["instrument"] == "phq9" and row["total"]]
    own = [(day(row), int(row["total"])) for row in found if row["own_answers"] == "1"]
    if own:
        best = min(own, key=lambda entry: entry[1])
        assert f"PHQ-9 now {own[-1][1]} / 27" in made.page
        assert f"first {own[0][1]} on {short(own[0][0])}, best {best[1]} on {short(best[0])}" in made.page
    nine = [(day(row), int(row["value"])) for row in made.counted if row["item"] == "item9"]
    if nine:
        highest = max(nine, key=lambda entry: (entry[1], entry[0]))
        assert f"PHQ-9 item 9 {nine[-1][1]} / 3" in made.page
        assert f"highest {highest[1]}, {said(highest[0])}" in made.page

    sums: dict[str, int] = {}
    for row in made.counted:
        if row["instrument"] == "phq9" and row["item"] in {f"item{n}" for n in range(1, 10)}:
            sums[row["check_in"]] = sums.get(row["check_in"], 0) + int(row["value"])
    assert {row["check_in"]: int(row["total"]) for row in found}.items() <= sums.items()


def test_the_highest_urge_of_the_week(made: Exported) -> None:
    rows = [row for row in made.counted if row["item"] == "urge" and row["mode"] in ("tap", "typed")]
    week = [int(row["value"]) for row in rows if TODAY - timedelta(days=7) < day(row) <= TODAY]
    assert f"urge, last 7 days: max. {max(week, default='–')}/10" in made.page
    above = {(day(row), int(row["value"])) for row in rows if row["value"] != "0"}
    first = TODAY - timedelta(days=made.view["mood"]["range"][1] - 0.5)
    assert [high for _, high in made.view["mood"]["urge"]] == [v for when, v in sorted(above) if when >= first]


def test_half_the_gain(made: Exported) -> None:
    """The first of three answered days in a row, after the first week, whose mean is below half of the gain."""
    before = before_treatment(made)
    lost: dict[int, int] = {}
    gains = 0
    for number, (start, moods) in enumerate(zip(made.given, stretches(made), strict=True)):
        days = sorted(moods)
        week = [moods[when] for when in days if (when - start).days <= 7]
        if len(before) < 3 or len(week) < 4 or fmean(week) - fmean(before) < 1:
            continue
        gains += 1
        half = (fmean(week) + fmean(before)) / 2
        runs = [days[place : place + 3] for place in range(len(days) - 2)]
        below = [run[0] for run in runs if (run[0] - start).days >= 7 and fmean(moods[when] for when in run) < half]
        if below:
            lost[number] = (below[0] - start).days
    current = lost.get(len(made.given) - 1)
    assert f"Half the gain lost after {'–' if current is None else f'{current} days'} " in made.page
    if lost:
        assert f"median {median(lost.values()):g} days, in {len(lost)} of {gains} with a gain" in made.page
    else:
        assert "no median yet" in made.page


def test_days_answered(made: Exported) -> None:
    rows = made.csv["responses"]
    for start, text in ((date.min, "{} of {} days asked"), (TODAY - timedelta(days=27), "last 28 days: {} of {}")):
        seen = [row for row in rows if day(row) >= start]
        asked = {row["diary_day"] for row in seen if row["outcome"] in ("answered", "partly", "missed")}
        answered = {row["diary_day"] for row in seen if row["value"]}
        assert text.format(len(answered), len(asked | answered)) in made.page
    own = {row["diary_day"] for row in rows if row["value"] and row["mode"] in ("tap", "typed")}
    others = len({row["diary_day"] for row in rows if row["value"]} - own)
    assert (f"{others} days by somebody else" in made.page) == (others > 1)


def test_the_lines_of_the_charts(made: Exported) -> None:
    first = TODAY - timedelta(days=365)
    first = max(first, min([*map(day, made.csv["responses"]), *made.given, TODAY]))
    expected = {}
    for moods in [*stretches(made), {when: v for when, v in made.mood.items() if when < min([*made.given, date.max])}]:
        for when in moods:
            week = [value for other, value in moods.items() if timedelta(0) <= when - other < timedelta(days=7)]
            if len(week) >= 2 and when >= first:
                expected[(when - first).days] = pytest.approx(fmean(week))
    assert {x: y for line in made.view["mood"]["means"] for x, y in line} == expected
    assert dict(made.view["mood"]["dots"]) == {(w - first).days: v for w, v in made.mood.items() if w >= first}
    for number, (start, moods) in list(enumerate(zip(made.given, stretches(made), strict=True), 1))[-8:]:
        end = made.given[number] if number < len(made.given) else TODAY + timedelta(days=1)
        within = [when for when in moods if (when - start).days <= 60]
        days = min((end - start).days - 1, 60)
        assert f"No. {number}, {short(start)} {len(within)} of {days} day" in made.page


def test_side_effects_and_alerts(made: Exported) -> None:
    shown = list(enumerate(made.given, 1))[-8:]
    effects = [row for row in made.counted if row["instrument"] == "side_effects" and row["item"] == "nausea"]
    if effects and shown:
        worst = [
            max((int(row["value"]) for row in effects if 0 <= (day(row) - start).days <= 1), default="–")
            for _, start in shown
        ]
        assert f"nausea {' '.join(map(str, worst))} " in made.page
    alerts = made.csv["alerts"]
    assert f"{len(alerts)} alerts: " in made.page if alerts else "No alerts." in made.page
    waits = [float(row["minutes_to_take"]) for row in alerts if row["minutes_to_take"]]
    if waits:
        assert f"Median time to take: {median(waits):g} min ({len(waits)} of {len(alerts)} taken)" in made.page
    for row in alerts[-12:]:
        assert row["alert"] in made.page


def test_every_answer_is_in_the_diary_pages(made: Exported) -> None:
    text = " ".join(made.pages[1:])
    sittings: dict[str, list[Row]] = {}
    for row in made.csv["responses"]:
        if row["instrument"] == "daily" and row["counts"] == "1":
            sittings.setdefault(row["check_in"], []).append(row)
    order = ("mood", "interest", "sleep", "urge", "intent")
    for rows in sittings.values():
        rows.sort(key=lambda row: order.index(row["item"]))
        moments = sorted(datetime.fromisoformat(row["answered_utc"]) for row in rows)
        times = [row["answered_local"][11:16] for row in rows]
        apart = moments[-1] - moments[0] > timedelta(minutes=2)
        values = [row["value"] or "skip" for row in rows]
        cells = [f"{value} {time}" for value, time in zip(values, times, strict=True)] if apart else values
        span = min(times) if min(times) == max(times) else f"{min(times)}–{max(times)}"
        assert f"{rows[0]['prompted_local'][11:16]} {span} {' '.join(cells)}" in text
    for row in made.csv["scores"]:
        if row["total"]:
            assert f": {row['total']} (" in text
    for row in made.csv["notes"]:
        assert row["text"] in text


def test_fhir_says_the_same(made: Exported) -> None:
    def values(code: str) -> list[float]:
        return sorted(seen["valueQuantity"]["value"] for seen in made.observed(code) if "valueQuantity" in seen)

    for item in ("mood", "interest", "sleep", "urge", "intent"):
        in_csv = [row for row in made.counted if row["instrument"] == "daily" and row["item"] == item]
        assert values(f"daily.{item}") == sorted(float(row["value"]) for row in in_csv)
        amended = [seen for seen in made.observed(f"daily.{item}") if seen["status"] == "amended"]
        assert len(amended) == len([row for row in in_csv if row["revision"] != "1"])
    phq9 = [row for row in made.csv["scores"] if row["instrument"] == "phq9"]
    assert values("44261-6") == sorted(float(row["total"]) for row in phq9 if row["total"])
    assert len(made.observed("44261-6")) == len(phq9)  # without a total there is the reason

    kinds = [resource["resourceType"] for resource in made.resources]
    assert kinds.count("Procedure") == kinds.count("MedicationAdministration") == len(made.given)
    assert sorted(seen["effectivePeriod"]["start"] for seen in made.of("MedicationAdministration")) == sorted(
        row["given_utc"] for row in made.csv["infusions"]
    )
    taken = [row["taken_utc"] for row in made.csv["alerts"] if row["taken_utc"]]
    assert sorted(sent["received"] for sent in made.of("Communication") if "received" in sent) == sorted(taken)
    assert kinds.count("Flag") == kinds.count("Communication") == len(made.csv["alerts"])
    assert [seen["valueString"] for seen in made.observed("note")] == [row["text"] for row in made.csv["notes"]]


def test_fhir_tells_silence_from_what_was_never_delivered(made: Exported) -> None:
    reasons = [
        seen["dataAbsentReason"]["coding"][0]["code"]
        for seen in made.observed("daily.mood")
        if "dataAbsentReason" in seen
    ]
    rows = [row for row in made.csv["responses"] if not row["instrument"]]
    assert reasons.count("unknown") == len([row for row in rows if row["outcome"] == "missed"])
    assert reasons.count("not-asked") == len([row for row in rows if row["outcome"] == "undelivered"])


def test_item_nine_is_the_same_in_fhir(made: Exported) -> None:
    ordinals = [
        item["answer"][0]["valueCoding"]["extension"][0]["valueDecimal"]
        for response in made.of("QuestionnaireResponse")
        for item in response["item"]
        if item["linkId"] == "item9" and "answer" in item
    ]
    assert ordinals == [int(row["value"]) for row in made.counted if row["item"] == "item9"]


def test_references_lead_somewhere_and_ids_are_unique(made: Exported) -> None:
    ids = [resource["id"] for resource in made.resources]
    assert len(ids) == len(set(ids))

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["reference"]] if "reference" in value else []
            return own + [found for part in value.values() for found in references(part)]
        return [found for part in value for found in references(part)] if isinstance(value, list) else []

    assert set(references(made.resources)) <= {f"urn:uuid:{known}" for known in ids}
    canonicals = {f"{asked['url']}|{asked['version']}" for asked in made.of("Questionnaire")}
    assert {told["questionnaire"] for told in made.of("QuestionnaireResponse")} <= canonicals
