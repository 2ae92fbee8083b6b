"""The documents as files: archivable, accessible, the same twice, and whole for every kind of patient."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pypdf import PdfReader

from bot.clinical.diary import Diary
from bot.clinical.library import Library
from bot.exports import charts, fhir, report, tables, typesetting
from bot.exports.figures import Period
from bot.texts import load
from tests.support import diaries

MADE_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LIBRARY = Library.load(None)
EVERYBODY: tuple[Callable[[], Diary], ...] = (
    diaries.clear_response_with_fading, diaries.non_response, diaries.sparse_answers, diaries.three_days,
    diaries.dense_induction, diaries.nothing_yet, diaries.five_years,
)  # fmt: skip


def pdf(diary: Diary, language: str = "en", made_at: datetime = MADE_AT, period: Period | None = None) -> bytes:
    return report.render(
        diary, library=LIBRARY, texts=load(), language=language, made_at=made_at, clinic="Klinik", period=period
    )


def pages(data: bytes, most: int = 8) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(data)).pages[:most]]


@pytest.mark.parametrize(
    ("made", "language"), list(zip(EVERYBODY, ["en", "de", "es", "en", "de", "es", "de"], strict=True))
)
def test_one_page_with_a_line_to_sign_and_then_the_diary(made: Callable[[], Diary], language: str) -> None:
    found = pages(pdf(made(), language), most=2)
    signs, diary = {
        "en": ("Seen by", "Full diary"), "de": ("Gesehen von", "Vollständiges Tagebuch"),
        "es": ("Visto por", "Diario completo"),
    }[language]  # fmt: skip
    assert signs in found[0] and diary in found[1] and diary not in found[0]


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_the_pdf_says_that_it_is_archivable_and_accessible(language: str) -> None:
    """typst checks the rules of both standards while it writes, and refuses otherwise."""
    document = PdfReader(io.BytesIO(pdf(diaries.non_response(), language)))
    root = document.trailer["/Root"]
    metadata = root["/Metadata"].get_object().get_data().decode()  # type: ignore[index]
    assert "pdfaid:part>2" in metadata and "pdfaid:conformance>A" in metadata and "pdfuaid:part>1" in metadata
    assert root["/Lang"] == language and root["/MarkInfo"]["/Marked"]  # type: ignore[index]
    assert document.metadata is not None and document.metadata.title == {
        "en": "Symptom diary of P-0107", "de": "Symptomtagebuch von P-0107", "es": "Diario de síntomas de P-0107",
    }[language]  # fmt: skip


def test_every_chart_says_in_words_what_it_shows() -> None:
    document = PdfReader(io.BytesIO(pdf(diaries.non_response())))

    def described(entry: Any) -> Iterator[str]:
        entry = entry.get_object()
        if isinstance(entry, dict):
            yield from [str(entry["/Alt"])] if "/Alt" in entry else described(entry.get("/K", []))
        elif isinstance(entry, list):
            for part in entry:
                yield from described(part)

    said = list(described(document.trailer["/Root"]["/StructTreeRoot"]))  # type: ignore[index]
    assert any("lowest 0, highest 4" in words for words in said)
    assert any("PHQ-9 total 17" in words for words in said)
    assert len(said) == 3


def test_the_same_diary_gives_the_same_bytes_apart_from_the_moment_it_was_made() -> None:
    diary, later = diaries.non_response(), MADE_AT + timedelta(seconds=3)
    assert pdf(diary, "de") == pdf(diaries.non_response(), "de")
    assert fhir.render(diary, LIBRARY, MADE_AT) == fhir.render(diaries.non_response(), LIBRARY, MADE_AT)
    assert tables.render(diary, LIBRARY) == tables.render(diaries.non_response(), LIBRARY)
    stamped = {moment: fhir.render(diary, LIBRARY, moment).decode() for moment in (MADE_AT, later)}
    assert stamped[MADE_AT].replace("2026-11-23T15:00:00Z", "") == stamped[later].replace("2026-11-23T15:00:03Z", "")
    assert pages(pdf(diary)) == pages(pdf(diary, made_at=later))


def test_a_period_is_the_diary_as_it_stood_at_its_end() -> None:
    diary = diaries.clear_response_with_fading()
    found = pages(pdf(diary, period=(date(2026, 3, 1), date(2026, 4, 30))))
    assert "Period: 1 Mar 2026 to 30 Apr 2026" in found[0]
    assert "Days since infusion 28 no. 8, 2 Apr 2026" in found[0]
    whole = " ".join(found)
    assert "March 2026" in whole and "April 2026" in whole
    assert "February 2026" not in whole and "May 2026" not in whole


def test_what_is_planned_and_how_alerts_ended() -> None:
    diary = diaries.non_response()
    alerts = tuple(replace(alert, note="Called her sister.") for alert in diary.alerts)
    found = pages(pdf(replace(diary, alerts=alerts, planned=(date(2026, 12, 1),))))
    assert "next planned 1 Dec 2026" in found[0]
    assert "emergency services sent · Called her sister." in " ".join(found[1:])


def test_more_than_a_year_has_a_strip_of_all_months() -> None:
    """Its means are those of the answers of each calendar month; a shorter diary has no strip."""
    known: dict[str, Any] = {"library": LIBRARY, "texts": load(), "language": "en", "made_at": MADE_AT, "clinic": "x"}
    assert report.view(diaries.clear_response_with_fading(), whole=False, **known)["course"] is None
    diary = diaries.five_years()
    course: Any = report.view(diary, whole=False, **known)["course"]
    months: dict[str, list[int]] = {}
    for day, value in diary.values("daily", "mood"):
        months.setdefault(f"{day:%Y-%m}", []).append(value)
    expected = [sum(values) / len(values) for values in months.values() if len(values) >= 4]
    assert [mean for _, mean in course["means"]] == pytest.approx(expected) and len(expected) == 60
    assert len(course["infusions"]) == 63 and all(low[1] <= high[1] for low, high in course["bars"])
    found = pages(pdf(diary), most=1)[0]
    assert "Since the beginning" in found and "first 18 on 30 Nov 2021" in found


def test_what_the_patient_sees_has_no_urge() -> None:
    known: dict[str, Any] = {"library": LIBRARY, "texts": load(), "language": "en", "today": diaries.TODAY}
    diary = diaries.non_response()
    assert "Urge above 0 on" in charts.caption(diary, **known)
    assert "Urge" not in charts.caption(diary, **known, staff=False)


def test_a_roster_longer_than_a_caption_is_counted() -> None:
    everybody = [replace(diaries.non_response(), patient=f"P-{number:04d}") for number in range(300)]
    for language in ("en", "de", "es"):
        lines = charts.roster_caption(everybody, texts=load(), language=language, today=diaries.TODAY).splitlines()
        assert len("\n".join(lines)) <= 1000 and lines[0].startswith("P-0000") and len(lines) > 8
        assert str(300 - (len(lines) - 1)) in lines[-1]


def test_typst_forgets_what_it_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clinic exports a thousand reports in one process: what one document needed is let go before the next."""
    rounds: list[None] = []
    monkeypatch.setattr(typesetting, "_forget", lambda: rounds.append(None))
    pdf(diaries.three_days())
    assert len(rounds) == 1
