"""Diaries as files."""

from datetime import date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from bot import app
from bot.cli.common import act, errors, read_clinic
from bot.clinical.diary import Diary
from bot.clock import SystemClock
from bot.exports import fhir, report, tables
from bot.exports.figures import Period, closed, within
from bot.services import care
from bot.services.work import Knowledge
from bot.settings import Clinic, Settings
from bot.texts import Texts, load


class Format(StrEnum):
    PDF = "pdf"
    CSV = "csv"
    FHIR = "fhir"


def export(
    patient: Annotated[str | None, typer.Argument(help="the patient's code, as P-0001; none: everybody")] = None,
    kind: Annotated[Format, typer.Option("--format", help="pdf, csv or fhir")] = Format.PDF,
    out: Annotated[Path, typer.Option(help="the folder to write to")] = Path("out"),
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="first diary day")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="last diary day")] = None,
) -> None:
    """Write diaries: the report as PDF, tables as CSV, or a FHIR R4 bundle."""
    settings = Settings.read()
    clinic = read_clinic(settings)
    known, clock, texts = app.knowledge(clinic), SystemClock(), load()
    period = (first.date() if first else date.min, last.date() if last else date.max) if first or last else None
    codes = act(settings, lambda work: [code for _, code, _ in care.roster(work)]) if patient is None else [patient]
    out.mkdir(parents=True, exist_ok=True)
    for code in track(codes, "Exporting", console=errors, disable=len(codes) == 1):
        record = act(settings, partial(care.export, code=code, kind=kind.value))
        for name, data in _exported(record, kind, period, known, texts, clinic, clock.now()).items():
            target = out / name
            target.write_bytes(data)
            typer.echo(target)


def _exported(
    record: Diary, kind: Format, period: Period | None, known: Knowledge, texts: Texts, clinic: Clinic, now: datetime
) -> dict[str, bytes]:
    """File contents by name."""
    shown = within(record, period)
    match kind:
        case Format.CSV:
            tables_of = tables.render(shown, known.library)
            return {f"{record.patient}-{name}.csv": data for name, data in tables_of.items()}
        case Format.FHIR:
            return {f"{record.patient}.fhir.json": fhir.render(shown, known.library, now)}
        case Format.PDF:
            data = report.render(
                record, library=known.library, texts=texts, language=clinic.language, made_at=now, clinic=clinic.name,
                period=period and closed(period, record, now),
            )  # fmt: skip
            return {f"{record.patient}.pdf": data}
