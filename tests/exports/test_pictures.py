"""The pages look as they did when somebody last looked at them: `make pictures` renews what is kept."""

import io

import numpy
import pytest
from PIL import Image, ImageFilter

from bot.exports import panels
from bot.exports.typesetting import png
from bot.exports.wording import Voice
from bot.texts import load
from tests.exports.pictures import CHARTS, KEPT, PAGES, chart, kept_name, page
from tests.support import diaries

# Grey steps of 255 after a blur of one pixel, so that another rendering of the same letters is the same picture.
TOLERATED = 40
DIFFERING = 0.002  # share of pixels beyond that; a moved line, a lost symbol or another number is more


def differing(shown: Image.Image, kept: Image.Image) -> float:
    """Share of pixels that are another grey; 1 when even the size differs."""
    if shown.size != kept.size:
        return 1.0
    grey = [
        numpy.asarray(picture.convert("L").filter(ImageFilter.GaussianBlur(1)), dtype=int) for picture in (shown, kept)
    ]
    return float((abs(grey[0] - grey[1]) > TOLERATED).mean())


@pytest.mark.parametrize("asked", PAGES, ids=lambda asked: kept_name(*asked))
def test_pages(asked: tuple[str, str, int]) -> None:
    share = differing(page(*asked), Image.open(KEPT / kept_name(*asked)))
    assert share < DIFFERING, f"{share:.2%} of {kept_name(*asked)} differ; look at it, then `make pictures`"


@pytest.mark.parametrize("name", CHARTS)
def test_charts(name: str) -> None:
    assert differing(chart(name), Image.open(KEPT / f"chart-{name}.png")) < DIFFERING


def test_a_change_is_seen() -> None:
    kept = Image.open(KEPT / kept_name(*PAGES[0])).convert("RGB")
    moved = Image.new("RGB", kept.size, "white")
    moved.paste(kept, (0, 2))
    assert differing(moved, kept) > DIFFERING
    other = Image.open(KEPT / kept_name("non_response", "en", 0))
    assert differing(other, kept) > 10 * DIFFERING
    patched = kept.copy()
    patched.paste("white", (35, 60, 135, 90))  # one of the six numbers
    assert differing(patched, kept) > DIFFERING


def test_no_symbol_is_told_from_another_by_its_colour_alone() -> None:
    """Each symbol of the legends in black and white, as a bad printer leaves it, beside the same word."""
    voice = Voice(load(), "en")
    panel = panels.mood(diaries.nothing_yet(), voice, (diaries.TODAY, diaries.TODAY))
    shapes: dict[bytes, str] = {}
    for kind in (
        "dot",
        "proxy",
        "mean",
        "infusion",
        "planned",
        "missed",
        "undelivered",
        "red",
        "orange",
        "event",
        "half",
    ):
        data = {"lang": "en", "title": "", "mood": panel, "legend": [{"kind": kind, "text": "x"}]}
        drawn = (
            Image.open(io.BytesIO(png("alert.typ", data, ppi=300))).convert("L").point(lambda grey: 255 * (grey > 215))
        )
        assert shapes.setdefault(drawn.tobytes(), kind) == kind
    assert len(shapes) == 11
