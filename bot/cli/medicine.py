"""Trying the medicine on files: texts through the screening, series through the alert rules."""

import csv
import sys
from typing import Annotated

import typer

from bot.cli.common import open_csv
from bot.clinical import backtest
from bot.clinical.rules import Limits
from bot.clinical.screening import Patterns, screen_rows
from bot.settings import SettingsError
from bot.texts import load


def screen(file: Annotated[str, typer.Argument(help="a CSV with a `text` column, or - for standard input")]) -> None:
    """Screen texts for danger: prints the CSV with `level` and the matching pattern of each row."""
    with open_csv(file) as source:
        rows = csv.DictReader(source)
        if "text" not in (rows.fieldnames or []):
            raise SettingsError(file, read=f"columns {rows.fieldnames}", expected="a column named text")
        writer = csv.DictWriter(sys.stdout, [*(rows.fieldnames or []), "level", "pattern"], lineterminator="\n")
        writer.writeheader()
        for row in screen_rows(rows, Patterns.load()):
            writer.writerow(row)


def replay_series(
    file: Annotated[str, typer.Argument(help="a CSV with person,day,mood and what else is known, or - for stdin")],
    limits: Annotated[list[str] | None, typer.Option(help="another limit, as in sharp_drop=3; may be repeated")] = None,
    language: Annotated[str, typer.Option(help="en, de or es")] = "en",
) -> None:
    """Replay a series through the alert rules: prints findings as CSV, then the alerts per patient-month."""
    with open_csv(file) as source:
        rows = csv.DictReader(source)
        missing = {"person", "day", "mood"} - set(rows.fieldnames or [])
        if missing:
            raise SettingsError(file, read=f"columns {rows.fieldnames}", expected="person, day and mood")
        days = backtest.read(rows)
    found = backtest.replay(days, Limits().with_overrides(dict(_limit(text) for text in limits or [])))
    texts = load()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["person", "day", "rule", "level", "alert", "explanation"])
    for entry in found:
        seen = entry.finding
        sentence = texts.say(f"finding.{seen.reason}", language, **seen.values)
        writer.writerow([entry.person, entry.label, seen.rule, seen.level, int(entry.is_alert), sentence])
    burden = backtest.load(days, found)
    typer.echo(
        f"\n{burden.alerts} alerts in {burden.months:.1f} patient-months: {burden.per_month:.2f} per patient-month, "
        f"{burden.without_safety:.2f} without suicidal thoughts"
    )


def _limit(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise SettingsError("--limits", read=repr(text), expected="name=number") from None
