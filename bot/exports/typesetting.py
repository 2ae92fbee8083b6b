"""Typst as a function: a template and plain data in, a PDF or a picture out.

Only the fonts beside this module are used, so that a page looks the same on every machine. Compiling takes tens of
milliseconds of processor time: call it from a thread, never from the event loop.
"""

import json
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import typst

HERE = Path(__file__).parent
FONTS = HERE / "fonts"
TEMPLATES = HERE / "templates"
STANDARDS: "list[typst.PDFStandard]" = ["a-2a", "ua-1"]

LONGEST_WORD = 24  # characters; longer runs may break anywhere, otherwise they would leave their column
MARKS_PER_LETTER = 3  # more stacked accents than any script needs would cover the neighbouring lines
ZERO_WIDTH_SPACE = "\u200b"
JOINERS = "\u200c\u200d"  # they shape Arabic and Indic scripts; everywhere else they are invisible
BLANKS = ("Zs", "Zl", "Zp")
INVISIBLE = ("Cf",)  # direction overrides and their like: they could make a sentence read differently than it was typed
FIRST_CHARACTER_OUTSIDE_THE_MAIN_FONT = 0x0250


FORGETTING_ROUNDS = 11  # typst keeps what the last ten compilations used


def pdf(template: str, data: Mapping[str, object], made_at: datetime) -> bytes:
    """The document as PDF/A-2a and PDF/UA-1, stamped with `made_at`, which is all that differs between two calls.

    Should the fonts fail on a text in spite of `printable`, the rare characters are named; should the standards still
    refuse, the document is made without them: a plain PDF is better than none.
    """
    try:
        return _pdf(template, data, int(made_at.timestamp()))
    finally:
        _forget()


def _pdf(template: str, data: Mapping[str, object], stamp: int) -> bytes:
    try:
        return _one(_compiler(template, data).compile(format="pdf", pdf_standards=STANDARDS, timestamp=stamp))
    except typst.TypstError:
        plain = _with_names_only(data)
    try:
        return _one(_compiler(template, plain).compile(format="pdf", pdf_standards=STANDARDS, timestamp=stamp))
    except typst.TypstError:
        return _one(_compiler(template, plain).compile(format="pdf", timestamp=stamp))


def png(template: str, data: Mapping[str, object], *, ppi: float = 144) -> bytes:
    """The first page of the document as a picture; `ppi` 72 gives one pixel per point."""
    try:
        pages = _compiler(template, data).compile(format="png", ppi=ppi)
        return pages[0] if isinstance(pages, list) else _one(pages)
    finally:
        _forget()


def _forget() -> None:
    """Lets typst drop its memory of this document: ten reports of five years would otherwise hold gigabytes."""
    nothing = typst.Compiler(TEMPLATES / "nothing.typ", root=TEMPLATES, font_paths=_fonts(), ignore_system_fonts=True)
    for _ in range(FORGETTING_ROUNDS):
        nothing.compile(format="svg")


def printable(text: str) -> str:
    """`text` without invisible characters, and with each one that no bundled font has as its name in brackets."""
    out: list[str] = []
    marks = run = 0
    for character in unicodedata.normalize("NFC", text):
        shown = _shown(character)
        if unicodedata.category(character) in ("Mn", "Me"):
            marks += 1
            out.append(shown if marks <= MARKS_PER_LETTER else "")
            continue
        marks = 0
        run = 0 if shown.isspace() else run + len(shown)
        if run > LONGEST_WORD:
            out.append(ZERO_WIDTH_SPACE)
            run = len(shown)
        out.append(shown)
    return "".join(out)


def _shown(character: str) -> str:
    if character == "\n" or " " <= character <= "~":
        return character
    category = unicodedata.category(character)
    if character == "\t" or category in BLANKS:
        return " "
    if character in JOINERS:
        return character
    if category in INVISIBLE or unicodedata.name(character, "").startswith("VARIATION SELECTOR"):
        return ""
    # Private characters may have a glyph somewhere, but no meaning; PDF/A refuses them.
    if category in ("Co", "Cs", "Cn", "Cc") or not _covered(ord(character)):
        return f"[{unicodedata.name(character, f'U+{ord(character):04X}').lower()}]"
    return character


def _with_names_only(data: object) -> dict[str, object]:
    """The same data with every character outside the main font's scripts named."""

    def plain(value: object) -> object:
        if isinstance(value, str):
            return "".join(_named(character) for character in value)
        if isinstance(value, Mapping):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        return value

    changed = plain(data)
    assert isinstance(changed, dict)  # nosec B101 - for the type checker: a mapping stays one
    return changed


def _named(character: str) -> str:
    if ord(character) < FIRST_CHARACTER_OUTSIDE_THE_MAIN_FONT or unicodedata.category(character) in (
        "Pd",
        "Pi",
        "Pf",
        "Po",
    ):
        return character
    name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
    return "" if unicodedata.category(character) in ("Mn", "Me", "Cf") else f"[{name}]"


def _compiler(template: str, data: Mapping[str, object]) -> typst.Compiler:
    return typst.Compiler(
        TEMPLATES / template,
        root=TEMPLATES,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )


def _one(compiled: object) -> bytes:
    if isinstance(compiled, bytes):
        return compiled
    raise TypeError(f"expected one document, got {type(compiled).__name__}")


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])


def _covered(code: int) -> bool:
    starts, ends = _coverage()
    place = bisect_right(starts, code) - 1
    return place >= 0 and code <= ends[place]


@lru_cache(maxsize=1)
def _coverage() -> tuple[list[int], list[int]]:
    """Ranges of characters that the bundled fonts have; a test compares the list with the fonts themselves."""
    ranges = [line.split("-") for line in (FONTS / "coverage.txt").read_text().splitlines()]
    return [int(start, 16) for start, _ in ranges], [int(end, 16) for _, end in ranges]
