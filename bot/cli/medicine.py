"""Trying the medicine on files: texts through the screening, series through the alert rules."""

import csv
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import open_csv
from bot.clinical import backtest
from bot.clinical.backtest import Day, Replayed
from bot.clinical.rules import Limits
from bot.clinical.screening import Patterns, screen_rows
from bot.clinical.terms import Finding, Rule
from bot.settings import SettingsError
from bot.texts import DEFAULT_LANGUAGE, LANGUAGES, Texts, load


def screen(file: Annotated[str, typer.Argument(help="a CSV with a `text` column, or - for standard input")]) -> None:
    """Screen texts for danger: prints the CSV with `level` and the matching pattern of each row."""
    with open_csv(file) as source:
        rows = csv.DictReader(source)
        if "text" not in (rows.fieldnames or []):
            raise SettingsError(file, read=f"columns {rows.fieldnames}", expected="a column named text")
        kept = [name for name in rows.fieldnames or [] if name not in ("level", "pattern")]
        writer = csv.DictWriter(sys.stdout, [*kept, "level", "pattern"], lineterminator="\n")
        writer.writeheader()
        for row in screen_rows(rows, Patterns.load()):
            if None in row:
                raise SettingsError(
                    f"{file}, line {rows.line_num}",
                    read="more cells than there are columns",
                    expected="a text with a comma between quotation marks",
                )
            writer.writerow(row)


def replay_series(
    file: Annotated[str, typer.Argument(help="a CSV with person,day,mood and what else is known, or - for stdin")],
    limits: Annotated[
        list[str] | None,
        typer.Option(help="other limits to try: name=number, or a TOML file like the \\[limits] of clinic.toml"),
    ] = None,
    language: Annotated[str, typer.Option(help="en, de or es")] = DEFAULT_LANGUAGE,
    reviewed: Annotated[bool, typer.Option(help="as if a clinician signed a baseline for chronic thoughts")] = False,
) -> None:
    """Replay a series through the alert rules: prints findings as CSV, then the alerts per patient-month.

    With --limits, findings under the default limits stand beside those under the others.
    """
    if language not in LANGUAGES:
        raise SettingsError("--language", read=repr(language), expected=", ".join(LANGUAGES))
    days = _read_series(file)
    found = {"": backtest.replay(days, reviewed=reviewed)}
    if limits:
        others = Limits().with_overrides({name: value for text in limits for name, value in _limits_in(text).items()})
        found = {"default": found[""], "other": backtest.replay(days, others, reviewed=reviewed)}
    _print_findings(found, load(), language)
    for name, entries in found.items():
        typer.echo(f"{name} limits: {_burden(days, entries)}" if name else _burden(days, entries))


def _read_series(file: str) -> list[Day]:
    with open_csv(file) as source:
        rows = csv.DictReader(source)
        missing = {"person", "day", "mood"} - set(rows.fieldnames or [])
        if missing:
            raise SettingsError(file, read=f"columns {rows.fieldnames}", expected="person, day and mood")
        return backtest.read(rows)


def _print_findings(found: dict[str, list[Replayed]], texts: Texts, language: str) -> None:
    """Two sets of limits stand side by side: a level for each, and the sentence of the graver."""
    beside = [f"{column}_{name}" for name in found for column in ("level", "alert")] if "" not in found else []
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["person", "day", "rule", *(beside or ["level", "alert"]), "explanation"])
    rows: dict[tuple[str, date, Rule], dict[str, Replayed]] = {}
    for name, entries in found.items():
        for entry in entries:
            rows.setdefault((entry.person, entry.day, entry.finding.rule), {})[name] = entry
    for (person, _, rule), by_name in sorted(rows.items(), key=lambda row: row[0]):
        graver = max(by_name.values(), key=lambda entry: (entry.finding.level.rank, entry.is_alert))
        levels = [cell for name in found for cell in _cells(by_name.get(name))]
        writer.writerow([person, graver.label, rule, *levels, _sentence(graver.finding, texts, language)])
    typer.echo("")


def _cells(entry: Replayed | None) -> tuple[str, str]:
    return (entry.finding.level, str(int(entry.is_alert))) if entry is not None else ("", "")


def _sentence(finding: Finding, texts: Texts, language: str) -> str:
    values = dict(finding.values)
    if texts.has(f"item.{values.get('item')}"):
        values["item"] = texts.say(f"item.{values['item']}", language)
    return texts.say(f"finding.{finding.reason}", language, **values)


def _burden(days: list[Day], found: list[Replayed]) -> str:
    burden = backtest.load(days, found)
    return (
        f"{burden.alerts} alerts in {burden.months:.1f} patient-months: {burden.per_month:.2f} per patient-month, "
        f"{burden.without_safety:.2f} without suicidal thoughts"
    )


def _limits_in(text: str) -> dict[str, float]:
    """`name=number`, or a TOML file of them, with or without a [limits] table."""
    name, equals, value = text.partition("=")
    try:
        if equals:
            return {name.strip(): float(value)}
        read = tomllib.loads(Path(text).read_text(encoding="utf-8"))
        return {name: float(value) for name, value in read.get("limits", read).items()}
    except (OSError, ValueError, TypeError):
        raise SettingsError("--limits", read=repr(text), expected="name=number, or a TOML file of such lines") from None
