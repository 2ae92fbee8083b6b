"""The pages as pictures: those that the tests keep and those of the docs. `make pictures` renews them; look at them."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image

from bot.clinical.diary import Diary
from bot.clinical.library import Library
from bot.exports import charts, report
from bot.exports.columns import COLUMNS
from bot.texts import load
from tests.support import diaries

HERE = Path(__file__).parent
KEPT = HERE / "pictures"
DOCS = HERE.parents[1] / "docs"
MADE_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
KEPT_PPI, DOCS_PPI = 60, 100
IN_DOCS = ("clear_response_with_fading", "non_response", "sparse_answers")

# (diary, language, page); page 0 is the summary.
PAGES: tuple[tuple[str, str, int], ...] = (
    ("clear_response_with_fading", "en", 0), ("clear_response_with_fading", "de", 0),
    ("clear_response_with_fading", "es", 1), ("non_response", "en", 0), ("sparse_answers", "es", 0),
    ("three_days", "en", 0), ("nothing_yet", "de", 0), ("dense_induction", "en", 0), ("five_years", "en", 0),
)  # fmt: skip


def page(name: str, language: str, number: int, ppi: float = KEPT_PPI) -> Image.Image:
    diary: Diary = getattr(diaries, name)()
    data = report.render(
        diary, library=Library.load(None), texts=load(), language=language, made_at=MADE_AT, clinic="Riverside clinic"
    )
    picture: Image.Image = pypdfium2.PdfDocument(data)[number].render(scale=ppi / 72).to_pil()
    return picture.convert("RGB")


def chart(name: str) -> Image.Image:
    known: dict[str, Any] = {"texts": load(), "language": "en", "today": diaries.TODAY}
    people = [
        diaries.non_response(),
        diaries.clear_response_with_fading(),
        diaries.sparse_answers(),
        diaries.three_days(),
    ]
    made: dict[str, Callable[[], bytes]] = {
        "patient": lambda: charts.patient_chart(people[1], library=Library.load(None), **known),
        "own": lambda: charts.patient_chart(people[1], library=Library.load(None), staff=False, **known),
        "alert": lambda: charts.alert_chart(people[0], library=Library.load(None), **known),
        "roster": lambda: charts.roster(people, **known),
    }
    return Image.open(io.BytesIO(made[name]())).convert("RGB").reduce(2)


CHARTS = ("patient", "own", "alert", "roster")


def kept_name(name: str, language: str, number: int) -> str:
    return f"{name.replace('_', '-')}-{language}-{number + 1}.png"


def renew() -> None:
    KEPT.mkdir(exist_ok=True)
    for asked in PAGES:
        page(*asked).convert("L").quantize(16).save(KEPT / kept_name(*asked), optimize=True)
    for name in CHARTS:
        chart(name).convert("L").quantize(16).save(KEPT / f"chart-{name}.png", optimize=True)
    for name in IN_DOCS:
        picture = page(name, "en", 0, DOCS_PPI).quantize(220, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        picture.save(DOCS / "pictures" / f"report-{name.replace('_', '-')}.png", optimize=True)
    (DOCS / "data-dictionary.md").write_text(dictionary(), encoding="utf-8")


def dictionary() -> str:
    """docs/data-dictionary.md, from the source of the file in the export."""
    lines = [
        "# Data dictionary",
        "",
        "The columns of the CSV export (`bot/exports/columns.py`; `make pictures` writes this page). An empty cell is",
        "missing in every column. The same list is in each export as `dictionary.csv`.",
    ]
    for table, columns in COLUMNS.items():
        lines += ["", f"## {table}", "", "| column | type | meaning |", "|---|---|---|"]
        lines += [f"| `{column}` | {kind} | {meaning} |" for column, (kind, meaning) in columns.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    renew()
