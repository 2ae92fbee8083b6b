"""Diaries as files."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from bot.cli.common import errors, opened
from bot.clinical.diary import Diary
from bot.exports import fhir, report, tables
from bot.exports.figures import Period, closed
from bot.services import care
from bot.services.work import Knowledge
from bot.settings import Settings
from bot.texts import load


class Format(StrEnum):
    PDF = "pdf"
    CSV = "csv"
    FHIR = "fhir"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written, and the moment that every file of this run bears."""

    known: Knowledge
    out: Path
    period: Period | None
    made_at: datetime
    prefix: str
    dialect: tables.Dialect


def export(
    patient: Annotated[str | None, typer.Argument(help="the patient's code, as P-0001; none: everybody")] = None,
    kind: Annotated[Format, typer.Option("--format", help="pdf, csv or fhir")] = Format.PDF,
    out: Annotated[Path, typer.Option(help="the folder to write to")] = Path("out"),
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="first diary day")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="last diary day")] = None,
    semicolons: Annotated[bool, typer.Option(help="csv: for Excel where decimals are written with a comma")] = False,
) -> None:
    """Write diaries: the report as PDF, tables as CSV, or a FHIR R4 bundle. One patient is in memory at a time."""
    settings = Settings.read()
    if first and last and last < first:
        raise typer.BadParameter("--to is before --from")
    period = (first.date() if first else date.min, last.date() if last else date.max) if first or last else None
    out.mkdir(parents=True, exist_ok=True)
    with opened(settings) as desk:
        codes = [patient] if patient else [code for _, code, _ in desk.act_now(care.roster)]
        records = (desk.act_now(partial(care.export, code=code, kind=kind.value)) for code in codes)
        order = Order(
            desk.knowledge, out, period, desk.clock.now(), f"{patient.upper()}-" if patient else "",
            tables.SEMICOLONS if semicolons else tables.PLAIN,
        )  # fmt: skip
        with WRITERS[kind](order) as write:
            for record in track(records, "Exporting", total=len(codes), console=errors, disable=len(codes) == 1):
                write(record)


@contextmanager
def _csv(order: Order) -> Iterator[Callable[[Diary], None]]:
    """One set of tables for everybody: whoever counts over patients wants one file, not a thousand."""
    with tables.Folder(order.out, order.known.library, prefix=order.prefix, dialect=order.dialect) as folder:
        yield lambda record: folder.add(record, order.period)
    for path in folder.paths.values():
        typer.echo(path)


@contextmanager
def _fhir(order: Order) -> Iterator[Callable[[Diary], None]]:
    def write(record: Diary) -> None:
        data = fhir.render(record, order.known.library, order.made_at, order.period)
        _save(order.out / f"{record.patient}.fhir.json", data)

    yield write


@contextmanager
def _pdf(order: Order) -> Iterator[Callable[[Diary], None]]:
    clinic, texts = order.known.clinic, load()

    def write(record: Diary) -> None:
        data = report.render(
            record, library=order.known.library, texts=texts, language=clinic.language, made_at=order.made_at,
            clinic=clinic.name, period=order.period and closed(order.period, record, order.made_at),
        )  # fmt: skip
        _save(order.out / f"{record.patient}.pdf", data)

    yield write


def _save(path: Path, data: bytes) -> None:
    """Under its name only when it is whole."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
    typer.echo(path)


WRITERS: dict[Format, Callable[[Order], AbstractContextManager[Callable[[Diary], None]]]] = {
    Format.CSV: _csv,
    Format.FHIR: _fhir,
    Format.PDF: _pdf,
}
