"""The diary as CSV: one long table of answers; infusions, alerts, scores, notes and events beside it; a dictionary of
every column and item.

UTF-8 with a byte order mark, which Excel needs and pandas, R (readr) and LibreOffice skip; CRLF. Moments stand in UTC
and in the patient's zone. Empty means missing: nothing is imputed.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Self, TextIO
from zoneinfo import ZoneInfo

from bot.clinical.diary import Diary
from bot.clinical.instrument import Instrument, Item
from bot.clinical.library import Library
from bot.exports.columns import COLUMNS
from bot.exports.figures import Period, totals, within
from bot.exports.wording import iso

Cell = str | int | float | None
Row = Mapping[str, Cell]

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
QUOTE = "'"  # in front of a text that a spreadsheet would run as a formula, and of one that begins with this quote
UNWRITABLE = {0: "\ufffd"}  # a NUL ends the file for some readers


@dataclass(frozen=True, slots=True)
class Dialect:
    separator: str
    decimal: str
    new_cell: re.Pattern[str]


def _new_cell(separator: str) -> re.Pattern[str]:
    """Where an Excel of the other sort of country begins a cell within a text: it splits at its own separator and at
    line ends, whatever the quotes around the field. Only in front of what would be a formula there.
    """
    return re.compile(rf"""([{separator}\t\r\n][ \u00a0"]*)(?=[=+@＝＋－＠'-])""")


PLAIN = Dialect(",", ".", _new_cell(";"))
# Excel splits a file into columns only at the separator of its country; where decimals have a comma, that is this one.
SEMICOLONS = Dialect(";", ",", _new_cell(","))


class Folder:
    """Writes one file per table, diary after diary, and never holds more than one.

    The files get their names when all is written: a run that broke off leaves none that looks complete.
    """

    def __init__(self, folder: Path, library: Library, *, prefix: str = "", dialect: Dialect = PLAIN) -> None:
        self.library, self.dialect = library, dialect
        self.paths = {table: folder / f"{prefix}{table}.csv" for table in COLUMNS}
        self._files = ExitStack()
        self._write: dict[str, Callable[[Row], object]] = {}

    def __enter__(self) -> Self:
        for table, path in self.paths.items():
            file = self._files.enter_context(_part(path).open("w", encoding="utf-8-sig", errors="replace", newline=""))
            self._write[table] = _writer(file, table, self.dialect)
        return self

    def add(self, diary: Diary, period: Period | None = None) -> None:
        for table, rows in _rows(diary, self.library, period).items():
            for row in rows:
                self._write[table](row)

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            for table, rows in _constant(self.library).items():
                for row in rows:
                    self._write[table](row)
        self._files.close()
        for path in self.paths.values():
            _part(path).replace(path) if kind is None else _part(path).unlink()


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def render(diary: Diary, library: Library, period: Period | None = None, dialect: Dialect = PLAIN) -> dict[str, bytes]:
    """File contents by table name, for one diary."""
    files = {}
    for table, rows in {**_rows(diary, library, period), **_constant(library)}.items():
        text = StringIO(newline="")
        write = _writer(text, table, dialect)
        for row in rows:
            write(row)
        files[table] = text.getvalue().encode("utf-8-sig", "replace")
    return files


def _writer(file: TextIO, table: str, dialect: Dialect) -> Callable[[Row], object]:
    writer = csv.DictWriter(file, list(COLUMNS[table]), delimiter=dialect.separator)
    writer.writeheader()
    return lambda row: writer.writerow({name: _safe(value, dialect) for name, value in row.items()})


def _safe(value: Cell, dialect: Dialect) -> Cell:
    if isinstance(value, float):
        return str(value).replace(".", dialect.decimal)
    if not isinstance(value, str):
        return value
    text = dialect.new_cell.sub(rf"\1{QUOTE}", value.translate(UNWRITABLE))
    return QUOTE + text if text.lstrip(" \u00a0").startswith((*FORMULA_STARTS, QUOTE)) else text


def _rows(diary: Diary, library: Library, period: Period | None) -> dict[str, Iterable[Row]]:
    """Days since an infusion reach back over the beginning of the period."""
    shown = within(diary, period)
    return {
        "responses": _responses(shown, diary), "infusions": _infusions(shown), "alerts": _alerts(shown),
        "scores": _scores(shown, library), "notes": _notes(shown), "events": _events(shown),
    }  # fmt: skip


def _constant(library: Library) -> dict[str, Iterable[Row]]:
    """What does not depend on any patient."""
    dictionary: list[Row] = [
        {"table": table, "column": column, "type": kind, "meaning": meaning}
        for table, columns in COLUMNS.items()
        for column, (kind, meaning) in columns.items()
    ]
    return {"items": _items(library), "dictionary": dictionary}


def _items(library: Library) -> Iterator[Row]:
    for (code, version), instrument in sorted(library.by_version.items()):
        for item in instrument.items:
            wording = instrument.wording("en").items[item.code]
            yield {
                "instrument": code, "version": version, "item": item.code, "question": wording.question,
                "low": item.low, "high": item.high, "values": _values(instrument, item),
                "asked_when": " or ".join(f"{condition.item} > {condition.above}" for condition in item.ask_if),
                "loinc": item.loinc, "in_total": int(item.code in instrument.scored),
            }  # fmt: skip


def _values(instrument: Instrument, item: Item) -> str:
    wording = instrument.wording("en").items[item.code]
    if not wording.options:
        return f"{item.low} {wording.low}; {item.high} {wording.high}"
    return "; ".join(f"{value} {label}" for value, label in enumerate(wording.options, item.low))


def _responses(diary: Diary, whole: Diary) -> Iterator[Row]:
    for check_in in diary.check_ins:
        last = [infusion for infusion in whole.infusions if infusion.day <= check_in.day]
        about: dict[str, Cell] = {
            "patient": diary.patient, "check_in": check_in.ref, "slot": check_in.slot,
            "diary_day": check_in.day.isoformat(), "outcome": check_in.outcome.value,
            "infusion": last[-1].number if last else None,
            "days_since_infusion": (check_in.day - last[-1].day).days if last else None,
            **_both("due", check_in.due_at, diary.zone), **_both("prompted", check_in.prompted_at, diary.zone),
            **_both("shown", check_in.shown_at, diary.zone), "zone": diary.zone,
        }  # fmt: skip
        newest: dict[tuple[str, str], int] = {}
        for answer in check_in.responses:
            key = answer.instrument, answer.item
            newest[key] = max(newest.get(key, 0), answer.revision)
        if not check_in.responses:
            yield about
        for answer in check_in.responses:
            yield about | {
                "instrument": answer.instrument, "version": answer.version, "item": answer.item, "value": answer.value,
                "skipped": int(answer.value is None), "revision": answer.revision,
                "counts": int(answer.revision == newest[answer.instrument, answer.item]), "mode": answer.mode.value,
                **_both("answered", answer.answered_at, diary.zone),
            }  # fmt: skip


def _infusions(diary: Diary) -> Iterator[Row]:
    for infusion in diary.infusions:
        yield {
            "patient": diary.patient, "infusion": infusion.number,
            **_both("given", infusion.given_at, diary.zone), "diary_day": infusion.day.isoformat(),
            "phase": infusion.phase.value, "dose_mg_per_kg": infusion.dose_mg_per_kg,
            "systolic_mmhg": infusion.systolic, "diastolic_mmhg": infusion.diastolic,
        }  # fmt: skip


def _alerts(diary: Diary) -> Iterator[Row]:
    for alert in diary.alerts:
        taken = alert.acknowledged_at
        yield {
            "patient": diary.patient, "alert": alert.code, "rule": alert.rule.value, "level": alert.level.value,
            "reason": alert.reason, "diary_day": alert.day.isoformat(), **_both("raised", alert.raised_at, diary.zone),
            "taken_utc": iso(taken), "contacted_utc": iso(alert.contacted_at), "closed_utc": iso(alert.closed_at),
            "minutes_to_take": round((taken - alert.raised_at).total_seconds() / 60, 1) if taken else None,
            "outcome": alert.outcome, "note": alert.note,
        }  # fmt: skip


def _scores(diary: Diary, library: Library) -> Iterator[Row]:
    for total in totals(diary, library):
        yield {
            "patient": diary.patient, "check_in": total.check_in.ref, "diary_day": total.day.isoformat(),
            "instrument": total.instrument, "version": total.version, "total": total.value, "low": total.low,
            "high": total.high, "band": total.band, "items_missing": total.skipped, "own_answers": int(total.own),
        }  # fmt: skip


def _notes(diary: Diary) -> Iterator[Row]:
    for note in diary.notes:
        yield {
            "patient": diary.patient, "diary_day": note.day.isoformat(),
            **_both("written", note.written_at, diary.zone), "text": note.text,
        }  # fmt: skip


def _events(diary: Diary) -> Iterator[Row]:
    for event in diary.events:
        yield {
            "patient": diary.patient, "first_day": event.day.isoformat(),
            "last_day": event.until.isoformat() if event.until else None, "kind": event.kind, "value": event.value,
            "text": event.text,
        }  # fmt: skip
    for day in diary.planned:
        yield {"patient": diary.patient, "first_day": day.isoformat(), "kind": "planned"}


def _both(name: str, moment: datetime | None, zone: str) -> dict[str, Cell]:
    local = moment.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds") if moment else ""
    return {f"{name}_utc": iso(moment), f"{name}_local": local}
