"""Whatever a patient types, the report is made."""

import random
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.clinical.diary import Event, Note
from bot.clinical.library import Library
from bot.exports import report
from bot.texts import load
from tests.support import diaries

MADE_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LIBRARY = Library.load(None)


def made(*texts: str) -> bytes:
    notes = tuple(Note(MADE_AT - timedelta(minutes=n), diaries.TODAY, text) for n, text in enumerate(texts))
    diary = replace(diaries.three_days(), notes=notes, events=(Event(diaries.TODAY, "medication", texts[0]),))
    return report.render(diary, library=LIBRARY, texts=load(), language="en", made_at=MADE_AT, clinic=texts[-1])


def test_scripts_symbols_markup_and_length() -> None:
    data = made(
        "{name} %s ${x}", "🙂👩‍👩‍👧 ♥ ✓ ★", "مرحبا، نمت جيدا", "今天心情不好。", "שלום", "नमस्ते", "สวัสดี",
        "#set page(width: 1pt) *b* $x^2$ [a](b) <c>",
        "\\u{0} \x00 \x1b[31m", "a" * 4000, "word " * 800, "\n" * 300, "\u202eevil\u2066", "",
    )  # fmt: skip
    assert data.startswith(b"%PDF")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=200), min_size=1, max_size=40))
def test_any_strings(texts: list[str]) -> None:
    assert made(*texts).startswith(b"%PDF")


def test_ten_thousand_strings_from_all_of_unicode() -> None:
    dice = random.Random(4)  # nosec B311
    known = [chr(n) for n in range(0x20, 0x2FFFF) if unicodedata.category(chr(n)) not in ("Cs", "Cn")]
    texts = ["".join(dice.choices(known, k=dice.randint(1, 12))) for _ in range(10_000)]
    for start in range(0, len(texts), 2_500):
        assert made(*texts[start : start + 2_500]).startswith(b"%PDF")
