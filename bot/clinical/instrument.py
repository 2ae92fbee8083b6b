"""Instruments as data: items, branching, scoring and official wordings, read from versioned TOML files."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.clinical.data import BadFile

ENGLISH = "en"
LONGEST_NAME = 34  # "instrument.item" travels in a button of 64 bytes
MOST_VALUES = 11  # of a scale: two rows of buttons


class InstrumentError(BadFile):
    """An instrument that cannot be used."""


class ItemStyle(StrEnum):
    SCALE = "scale"
    CHOICE = "choice"
    YES_NO = "yes_no"


@dataclass(frozen=True, slots=True)
class Condition:
    """The item is asked when the answer to another one is above a number; a skipped answer never is."""

    item: str
    above: int

    def holds(self, answers: Mapping[str, int | None]) -> bool:
        value = answers.get(self.item)
        return value is not None and value > self.above


@dataclass(frozen=True, slots=True)
class Item:
    code: str
    style: ItemStyle
    low: int
    high: int
    loinc: str | None = None
    ask_if: tuple[Condition, ...] = ()  # asked when any of these holds


@dataclass(frozen=True, slots=True)
class ItemWording:
    question: str
    low: str = ""
    high: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wording:
    title: str
    stem: str
    items: dict[str, ItemWording]
    bands: dict[str, str]


@dataclass(frozen=True, slots=True)
class Score:
    value: int
    low: int
    high: int
    band: str | None


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Not scored: these items have no answer."""

    unanswered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Instrument:
    code: str
    version: str
    items: tuple[Item, ...]
    scored: tuple[str, ...]  # items that make the total; empty when there is none
    bands: tuple[tuple[str, int], ...]  # code and lowest total, ascending
    panel_loinc: str | None
    total_loinc: str | None
    option_loinc: tuple[str, ...]
    source: str
    permission: str
    recall_days: int
    wordings: dict[str, Wording]

    def next_item(self, answers: Mapping[str, int | None], items: Collection[str] | None = None) -> Item | None:
        """The first item that has no answer and is to be asked. A skipped item is present as None."""
        for item in self.items:
            if item.code in answers or (items and item.code not in items):
                continue
            if not item.ask_if or any(condition.holds(answers) for condition in item.ask_if):
                return item
        return None

    def score(self, answers: Mapping[str, int | None]) -> Score | Incomplete | None:
        """None for an instrument without a total; incomplete is never scored."""
        if not self.scored:
            return None
        values = {code: answers.get(code) for code in self.scored}
        missing = tuple(code for code, value in values.items() if value is None)
        if missing:
            return Incomplete(missing)
        total = sum(value for value in values.values() if value is not None)
        known = {item.code: item for item in self.items}
        band = next((code for code, lowest in reversed(self.bands) if total >= lowest), None)
        return Score(total, sum(known[c].low for c in self.scored), sum(known[c].high for c in self.scored), band)

    def wording(self, language: str) -> Wording:
        return self.wordings.get(language) or self.wordings[ENGLISH]


def read(text: str, file: str) -> Instrument:
    """Raises `InstrumentError` for the first thing that is wrong."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InstrumentError(file, "file", str(error), "valid TOML") from None
    for key in ("code", "version", "items", "wording"):
        if key not in data:
            raise InstrumentError(file, key, None, "a value")
    items = tuple(_item(entry, file) for entry in data["items"])
    _check(data, items, file)
    return Instrument(
        code=data["code"], version=str(data["version"]), items=items, scored=tuple(data.get("scored", ())),
        bands=tuple(data.get("bands", {}).items()), panel_loinc=data.get("panel_loinc"),
        total_loinc=data.get("total_loinc"), option_loinc=tuple(data.get("option_loinc", ())),
        source=data.get("source", ""), permission=data.get("permission", ""), recall_days=data.get("recall_days", 1),
        wordings=_wordings(data["wording"], items, file),
    )  # fmt: skip


def _check(data: dict[str, Any], items: tuple[Item, ...], file: str) -> None:
    """What only shows when the items are seen together."""
    if not str(data["version"]).isdigit():
        raise InstrumentError(file, "version", data["version"], "a whole number, higher for a newer version")
    codes = [item.code for item in items]
    for code in codes:
        if codes.count(code) > 1:
            raise InstrumentError(file, "items.code", code, "each code once")
        if len(f"{data['code']}.{code}") > LONGEST_NAME or not f"{data['code']}{code}".replace("_", "").isalnum():
            raise InstrumentError(file, "code", f"{data['code']}.{code}", f"letters and digits, {LONGEST_NAME} at most")
    named = [*data.get("scored", ()), *(condition.item for item in items for condition in item.ask_if)]
    for code in named:
        if code not in codes:
            raise InstrumentError(file, "scored or ask_if", code, "the code of an item")


def _item(entry: dict[str, Any], file: str) -> Item:
    try:
        style = ItemStyle(entry["style"])
    except (KeyError, ValueError):
        raise InstrumentError(file, "style", entry.get("style"), "scale, choice or yes_no") from None
    low, high = entry.get("low", 0), entry.get("high", 1 if style == ItemStyle.YES_NO else None)
    if not isinstance(high, int) or low >= high:
        raise InstrumentError(file, f"{entry.get('code')}.high", high, f"a whole number above {low}")
    if style == ItemStyle.SCALE and high - low >= MOST_VALUES:
        raise InstrumentError(file, f"{entry.get('code')}.high", high, f"at most {MOST_VALUES} values on a scale")
    if not isinstance(entry.get("code"), str):
        raise InstrumentError(file, "items.code", entry.get("code"), "a code for each item")
    conditions = tuple(Condition(name, above) for name, above in entry.get("ask_if", {}).items())
    return Item(entry["code"], style, low, high, entry.get("loinc"), conditions)


def _wordings(data: dict[str, Any], items: tuple[Item, ...], file: str) -> dict[str, Wording]:
    if ENGLISH not in data:
        raise InstrumentError(file, "wording", sorted(data), "at least English (en)")
    found = {}
    for language, entry in data.items():
        shared = tuple(entry.get("options", ()))
        yes_no = (entry.get("no", "No"), entry.get("yes", "Yes"))
        worded = {}
        for item in items:
            said = entry["items"].get(item.code)
            if said is None:
                raise InstrumentError(file, f"wording.{language}.items.{item.code}", None, "a question")
            said = {"question": said} if isinstance(said, str) else said
            options = tuple(said.get("options", ())) or (yes_no if item.style == ItemStyle.YES_NO else shared)
            if item.style != ItemStyle.SCALE and len(options) != item.high - item.low + 1:
                raise InstrumentError(
                    file, f"wording.{language}.items.{item.code}.options", options, "one for each value"
                )
            worded[item.code] = ItemWording(said["question"], said.get("low", ""), said.get("high", ""), options)
        found[language] = Wording(entry.get("title", ""), entry.get("stem", ""), worded, entry.get("bands", {}))
    return found
