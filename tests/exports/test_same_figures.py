"""PDF, CSV and FHIR carry the same numbers; each figure of the page is computed again from the CSV alone."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from statistics import fmean

import pytest
from pypdf import PdfReader

from bot.clinical.diary import Diary, Note
from bot.clinical.library import Library
from bot.exports import fhir, report, tables
from bot.texts import load
from tests.support import diaries

MADE_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LIBRARY = Library.load(None)
Rows = list[dict[str, str]]


@pytest.fixture(params=["clear_response_with_fading", "non_response", "sparse_answers", "three_days"])
def diary(request: pytest.FixtureRequest) -> Diary:
    made: Diary = getattr(diaries, request.param)()
    return made


def first_page(diary: Diary) -> str:
    data = report.render(diary, library=LIBRARY, texts=load(), language="en", made_at=MADE_AT, clinic="Test clinic")
    return " ".join(PdfReader(io.BytesIO(data)).pages[0].extract_text().split())


def rows(diary: Diary) -> dict[str, Rows]:
    files = tables.render(diary, LIBRARY)
    return {name: list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")))) for name, data in files.items()}


def moods(found: Rows) -> dict[date, int]:
    own = [
        row
        for row in found
        if row["item"] == "mood" and row["counts"] == "1" and row["value"] and row["mode"] in ("tap", "typed")
    ]
    return {date.fromisoformat(row["diary_day"]): int(row["value"]) for row in sorted(own, key=lambda r: r["due_utc"])}


def observations(diary: Diary, code: str) -> list[float]:
    bundle = json.loads(fhir.render(diary, LIBRARY, MADE_AT))
    return [
        entry["resource"]["valueQuantity"]["value"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Observation"
        and entry["resource"]["code"]["coding"][0]["code"] == code
        and "valueQuantity" in entry["resource"]
    ]


def test_the_six_numbers(diary: Diary) -> None:
    page, found = first_page(diary), rows(diary)
    today = diaries.TODAY
    mood = moods(found["responses"])

    week = [value for day, value in mood.items() if today - timedelta(days=7) < day <= today]
    if week:
        assert f"{fmean(week):.1f} / 10" in page
    assert f"{len(week)} of 7 days answered" in page

    given = [date.fromisoformat(row["diary_day"]) for row in found["infusions"]]
    if given:
        assert f"Days since infusion {(today - given[-1]).days} " in page
        before = [value for day, value in sorted(mood.items()) if day < given[0]][-7:]
        if len(before) >= 3:
            assert f"before treatment {fmean(before):.1f} ({len(before)} of 7 days)" in page
    else:
        assert "no infusion recorded" in page

    totals = [
        int(row["total"])
        for row in found["scores"]
        if row["instrument"] == "phq9" and row["total"] and row["own_answers"] == "1"
    ]
    if totals:
        assert f"PHQ-9 now {totals[-1]} / 27" in page
        assert f"first {totals[0]} on " in page and f", best {min(totals)} on " in page

    asked = {row["diary_day"] for row in found["responses"] if row["outcome"] in ("answered", "partly", "missed")}
    answered = {row["diary_day"] for row in found["responses"] if row["value"]}
    assert f"{len(answered)} of {len(asked | answered)} days asked" in page


def test_fhir_has_every_answer_and_total_of_the_csv(diary: Diary) -> None:
    found = rows(diary)
    counted = [row for row in found["responses"] if row["counts"] == "1" and row["value"]]
    assert sorted(observations(diary, "daily.mood")) == sorted(
        float(row["value"]) for row in counted if row["instrument"] == "daily" and row["item"] == "mood"
    )
    assert sorted(observations(diary, "44261-6")) == sorted(
        float(row["total"]) for row in found["scores"] if row["instrument"] == "phq9" and row["total"]
    )
    bundle = json.loads(fhir.render(diary, LIBRARY, MADE_AT))
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds.count("Procedure") == kinds.count("MedicationAdministration") == len(found["infusions"])
    assert kinds.count("Flag") == kinds.count("Communication") == len(found["alerts"])


def test_references_lead_somewhere_and_ids_are_unique(diary: Diary) -> None:
    bundle = json.loads(fhir.render(diary, LIBRARY, MADE_AT))
    known = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(known) == len(set(known))

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["reference"]] if "reference" in value else []
            return own + [found for part in value.values() for found in references(part)]
        return [found for part in value for found in references(part)] if isinstance(value, list) else []

    assert set(references(bundle)) <= set(known)


def test_the_same_diary_gives_the_same_bytes() -> None:
    def made() -> list[bytes]:
        diary = diaries.non_response()
        pdf = report.render(diary, library=LIBRARY, texts=load(), language="de", made_at=MADE_AT, clinic="Klinik")
        return [pdf, fhir.render(diary, LIBRARY, MADE_AT), *tables.render(diary, LIBRARY).values()]

    assert made() == made()


def test_the_pdf_says_that_it_is_archivable_and_accessible() -> None:
    data = report.render(
        diaries.three_days(), library=LIBRARY, texts=load(), language="es", made_at=MADE_AT, clinic="Clínica"
    )
    metadata = PdfReader(io.BytesIO(data)).trailer["/Root"]["/Metadata"].get_object().get_data().decode()  # type: ignore[index]
    assert "pdfaid:part>2" in metadata and "pdfaid:conformance>A" in metadata
    assert "pdfuaid:part>1" in metadata


def test_a_spreadsheet_never_runs_what_a_patient_wrote() -> None:
    diary = diaries.three_days()
    notes = tuple(Note(MADE_AT, diaries.TODAY, text) for text in ("=1+1", "+cmd", "-2", "@x", "\tx", "quiet"))
    found = rows(replace(diary, notes=notes))["notes"]
    assert [row["text"] for row in found] == ["'=1+1", "'+cmd", "'-2", "'@x", "'\tx", "quiet"]


def test_every_column_is_explained() -> None:
    found = rows(diaries.three_days())
    explained = {(row["table"], row["column"]) for row in found["dictionary"] if row["meaning"]}
    for name in ("responses", "scores"):
        assert {(name, column) for column in found[name][0]} <= explained
