"""Whatever a patient types, the report is made, stays one page and a diary, and says it readably."""

import io
import random
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typst
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from bot.clinical.diary import Diary, Event, Note
from bot.clinical.library import Library
from bot.exports import charts, fhir, report, tables, typesetting
from bot.exports.typesetting import printable
from bot.texts import load
from tests.exports.sizes import EXAMPLES, FUZZED_STRINGS
from tests.support import diaries

MADE_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LIBRARY = Library.load(None)
AWKWARD = (
    "{name} %s ${x}", "🙂👩‍👩‍👧 ♥ ✓ ★", "مرحبا، نمت جيدا", "今天心情不好。", "שלום", "नमस्ते", "สวัสดี",
    "#set page(width: 1pt) *b* $x^2$ [a](b) <c> // /* @x ```", "\\u{0} \x00 \x1b[31m", "a" * 4000, "word " * 800,
    "\n" * 300, "\u202eevil\u2066", "", "𓀀𒀀", "Ẑ̴̡̛̤͔̱͉̇̈́a̷l̶g̵o̸" * 20, "\ud83d", "\U000e0041", "👍🏽🇩🇪", "漢" * 4000,
)  # fmt: skip


def typed(*texts: str) -> Diary:
    """A diary with these texts in every place that holds text."""
    notes = tuple(Note(MADE_AT - timedelta(minutes=n), diaries.TODAY, text) for n, text in enumerate(texts))
    diary = diaries.three_days()
    alerts = tuple(replace(alert, code=texts[0], outcome=texts[-1]) for alert in diaries.non_response().alerts)
    events = tuple(Event(diaries.TODAY, texts[-1] or "medication", text) for text in texts[:8])
    return replace(diary, patient=texts[0] or "P-0001", notes=notes, events=events, alerts=alerts)


def made(*texts: str) -> bytes:
    return report.render(typed(*texts), library=LIBRARY, texts=load(), language="en", made_at=MADE_AT, clinic=texts[-1])


def pages(data: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]


def test_scripts_symbols_markup_and_length() -> None:
    found = pages(made(*AWKWARD))
    assert "recommends nothing" in found[0] and "Seen by" in found[0] and "Full diary" in found[1]


@pytest.mark.parametrize(
    "text", [text for text in AWKWARD if len(text) > 20 or not text.isprintable()], ids=lambda text: ascii(text[:8])
)
def test_one_text_in_every_place_breaks_no_page(text: str) -> None:
    found = pages(made(text))
    assert "recommends nothing" in found[0] and "Full diary" in found[1]


def test_the_words_arrive_as_they_were_typed() -> None:
    data = pages(made("Straße señor 50 % <b> #x *y* _z_", "good"))
    assert "Straße señor 50 % <b> #x *y* _z_" in " ".join(" ".join(data).split())


def test_what_no_font_has_is_named() -> None:
    assert printable("a\U00013000b").replace("\u200b", "") == "a[egyptian hieroglyph a001]b"
    assert printable("\x00") == "[u+0000]"
    assert printable("no\u202eevil") == "noevil"
    assert printable("e" + "\u0301" * 40).count("\u0301") <= 3


def test_the_list_of_covered_characters_is_that_of_the_fonts() -> None:
    """Each range is drawn at both ends: a character without a glyph makes PDF/A fail."""
    starts, ends = typesetting._coverage()
    edges = [chr(code) for pair in zip(starts, ends, strict=True) for code in pair]
    drawable = [
        edge for edge in edges if printable(edge) == edge and unicodedata.category(edge) not in ("Mn", "Me", "Mc")
    ]
    words = [" ".join(drawable[start : start + 40]) for start in range(0, len(drawable), 40)]
    view = report.view(
        replace(diaries.nothing_yet(), notes=tuple(Note(MADE_AT, diaries.TODAY, word) for word in words)),
        library=LIBRARY, texts=load(), language="en", made_at=MADE_AT, clinic="x",
    )  # fmt: skip
    compiled = typesetting._compiler("report.typ", view).compile(
        format="pdf", pdf_standards=typesetting.STANDARDS, timestamp=0
    )
    assert isinstance(compiled, bytes)


def test_without_the_standard_when_the_standard_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A glyph that is missing in spite of all: its name is written, and failing that the plain PDF is made."""
    monkeypatch.setattr(typesetting, "printable", str)
    monkeypatch.setattr("bot.exports.wording.printable", str)
    assert "egyptian hieroglyph" in " ".join(" ".join(pages(made("\U00013000", "x"))).split())
    monkeypatch.setattr(typesetting, "_with_names_only", lambda data: data)
    assert made("\U00013000", "x").startswith(b"%PDF")


def test_fonts_of_the_system_are_ignored() -> None:
    def all_fonts(fonts: typst.Fonts) -> set[str]:
        return set(fonts.families())

    own = all_fonts(typesetting._fonts())
    assert "Source Sans 3" in own and len(own) == len(list(Path(typesetting.FONTS).glob("*.ttf"))) - 1


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=200), min_size=1, max_size=40))
def test_any_strings(texts: list[str]) -> None:
    assert made(*texts).startswith(b"%PDF")


def test_strings_from_all_of_unicode() -> None:
    """Ten thousand in `make proof`: as PDF/A, in the pictures, the tables and FHIR."""
    dice = random.Random(4)  # nosec B311
    known = [chr(n) for n in range(0x20, 0x2FFFF) if unicodedata.category(chr(n)) not in ("Cs", "Cn")]
    texts = ["".join(dice.choices(known, k=dice.randint(1, 12))) for _ in range(FUZZED_STRINGS)]
    for start in range(0, len(texts), 500):
        diary = typed(*texts[start : start + 500])
        data = report.render(diary, library=LIBRARY, texts=load(), language="de", made_at=MADE_AT, clinic=texts[start])
        assert b"pdfaid" in data, f"the standard was given up between {start} and {start + 500}"
        assert charts.roster([diary], texts=load(), language="es", today=diaries.TODAY).startswith(b"\x89PNG")
        assert tables.render(diary, LIBRARY) and fhir.render(diary, LIBRARY, MADE_AT)
