"""The diary as CSV: one long table of answers, and infusions, alerts, scores, notes and events beside it.

UTF-8 with a byte order mark, which Excel needs and pandas, R (readr) and LibreOffice skip; comma, CRLF. Moments stand
in UTC and in the patient's zone. Empty means missing: nothing is imputed. A text that a spreadsheet would run as a
formula gets an apostrophe in front.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from io import StringIO
from zoneinfo import ZoneInfo

from bot.clinical.diary import Diary
from bot.clinical.library import Library
from bot.exports.figures import totals
from bot.exports.wording import iso

Cell = str | int | float | None
Row = Mapping[str, Cell]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

# Column and meaning; the order is the order in the file. The dictionary file is made from this.
COLUMNS: dict[str, dict[str, str]] = {
    "responses": {
        "patient": "code of the patient at the clinic",
        "check_in": "reference of the check-in; the same for all answers given in it",
        "slot": "which check-in of the protocol",
        "diary_day": "diary day, ending at 04:00 in the patient's zone; YYYY-MM-DD",
        "infusion": "number of the last infusion on or before that day; empty before the first",
        "days_since_infusion": "whole days since that infusion; 0 is its own day",
        "outcome": "answered, partly, missed, undelivered, pending or cancelled",
        "instrument": "code of the instrument; empty when nothing was answered",
        "version": "version of the instrument that was asked",
        "item": "code of the item",
        "value": "the answer as a whole number; empty when the patient skipped the item",
        "skipped": "1 when the item was shown and skipped, else 0; empty when nothing was answered",
        "revision": "1 for the first answer, higher for corrections; the highest counts",
        "counts": "1 for the newest revision of an item, 0 for one that was corrected later",
        "mode": "tap, typed, proxy (somebody close) or staff",
        "due_utc": "when the check-in was due",
        "prompted_utc": "when it was asked",
        "shown_utc": "when the patient opened it",
        "answered_utc": "when this answer was given",
        "answered_local": "the same in the patient's zone, with its offset",
        "zone": "the patient's IANA time zone",
    },
    "infusions": {
        "patient": "code of the patient",
        "infusion": "number, counting from 1",
        "given_utc": "when it was given",
        "given_local": "the same in the patient's zone, with its offset",
        "diary_day": "its diary day",
        "phase": "induction or maintenance",
        "dose_mg_per_kg": "dose, mg per kg of body weight",
        "systolic_mmhg": "blood pressure, mmHg",
        "diastolic_mmhg": "blood pressure, mmHg",
    },
    "alerts": {
        "patient": "code of the patient",
        "alert": "the alert's code",
        "rule": "R0 to R7; docs/clinical.md",
        "level": "note, yellow, orange or red: the highest that it reached",
        "reason": "what the rule saw, as a key",
        "diary_day": "the diary day that it is about",
        "raised_utc": "when it was raised",
        "taken_utc": "when somebody took it",
        "contacted_utc": "when the patient was reached",
        "closed_utc": "when it was closed",
        "minutes_to_take": "minutes from raised to taken",
        "outcome": "how it was closed",
    },
    "scores": {
        "patient": "code of the patient",
        "check_in": "reference of the check-in",
        "diary_day": "its diary day",
        "instrument": "code of the instrument",
        "version": "version of the instrument",
        "total": "the total; empty when items are missing: incomplete is never scored",
        "low": "lowest possible total",
        "high": "highest possible total",
        "band": "severity band",
        "items_missing": "items without an answer",
        "own_answers": "1 when the patient gave every answer, 0 when somebody else did",
    },
    "notes": {
        "patient": "code of the patient",
        "diary_day": "its diary day",
        "written_utc": "when it was written",
        "text": "the note in the patient's words",
    },
    "events": {
        "patient": "code of the patient",
        "first_day": "first diary day",
        "last_day": "last diary day; empty when it is a single day",
        "kind": "medication, travel, pause, hospital stay, total",
        "value": "a number entered with it",
        "text": "a text entered with it",
    },
}


def render(diary: Diary, library: Library) -> dict[str, bytes]:
    """File contents by table name, with the `dictionary` of all columns."""
    rows = {
        "responses": _responses(diary),
        "infusions": _infusions(diary),
        "alerts": _alerts(diary),
        "scores": _scores(diary, library),
        "notes": _notes(diary),
        "events": _events(diary),
    }
    files = {name: _file(COLUMNS[name], found) for name, found in rows.items()}
    files["dictionary"] = dictionary()
    return files


def dictionary() -> bytes:
    """What each column of each table means."""
    heads = {"table": "", "column": "", "meaning": ""}
    return _file(
        heads,
        (
            {"table": table, "column": column, "meaning": meaning}
            for table, columns in COLUMNS.items()
            for column, meaning in columns.items()
        ),
    )


def _file(columns: Iterable[str], rows: Iterable[Row]) -> bytes:
    text = StringIO(newline="")
    writer = csv.DictWriter(text, list(columns))
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _safe(value) for name, value in row.items()})
    return text.getvalue().encode("utf-8-sig")


def _safe(value: Cell) -> Cell:
    """Spreadsheets run a text that begins like a formula; an apostrophe in front keeps it a text."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value


def _responses(diary: Diary) -> Iterator[Row]:
    for check_in in diary.check_ins:
        last = [infusion for infusion in diary.infusions if infusion.day <= check_in.day]
        about: dict[str, Cell] = {
            "patient": diary.patient, "check_in": check_in.ref, "slot": check_in.slot,
            "diary_day": check_in.day.isoformat(), "outcome": check_in.outcome.value,
            "infusion": last[-1].number if last else None,
            "days_since_infusion": (check_in.day - last[-1].day).days if last else None,
            "due_utc": iso(check_in.due_at), "prompted_utc": iso(check_in.prompted_at),
            "shown_utc": iso(check_in.shown_at), "zone": diary.zone,
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
                "answered_utc": iso(answer.answered_at), "answered_local": _local(answer.answered_at, diary.zone),
            }  # fmt: skip


def _infusions(diary: Diary) -> Iterator[Row]:
    for infusion in diary.infusions:
        yield {
            "patient": diary.patient, "infusion": infusion.number, "given_utc": iso(infusion.given_at),
            "given_local": _local(infusion.given_at, diary.zone), "diary_day": infusion.day.isoformat(),
            "phase": infusion.phase.value, "dose_mg_per_kg": infusion.dose_mg_per_kg,
            "systolic_mmhg": infusion.systolic, "diastolic_mmhg": infusion.diastolic,
        }  # fmt: skip


def _alerts(diary: Diary) -> Iterator[Row]:
    for alert in diary.alerts:
        taken = alert.acknowledged_at
        yield {
            "patient": diary.patient, "alert": alert.code, "rule": alert.rule.value, "level": alert.level.value,
            "reason": alert.reason, "diary_day": alert.day.isoformat(), "raised_utc": iso(alert.raised_at),
            "taken_utc": iso(taken), "contacted_utc": iso(alert.contacted_at), "closed_utc": iso(alert.closed_at),
            "minutes_to_take": round((taken - alert.raised_at).total_seconds() / 60, 1) if taken else None,
            "outcome": alert.outcome,
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
            "patient": diary.patient, "diary_day": note.day.isoformat(), "written_utc": iso(note.written_at),
            "text": note.text,
        }  # fmt: skip


def _events(diary: Diary) -> Iterator[Row]:
    for event in diary.events:
        yield {
            "patient": diary.patient, "first_day": event.day.isoformat(),
            "last_day": event.until.isoformat() if event.until else None, "kind": event.kind, "value": event.value,
            "text": event.text,
        }  # fmt: skip


def _local(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")
