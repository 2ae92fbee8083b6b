"""The tables as a spreadsheet and a statistician open them."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas
import pytest

from bot.clinical.diary import Diary, Note
from bot.clinical.library import Library
from bot.exports import tables
from bot.exports.columns import COLUMNS
from tests.support import diaries

LIBRARY = Library.load(None)
WRITTEN = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
DICTIONARY = Path(__file__).parents[2] / "docs" / "data-dictionary.md"


def noted(*texts: str) -> Diary:
    notes = tuple(Note(WRITTEN, diaries.TODAY, text) for text in texts)
    return replace(diaries.clear_response_with_fading(), notes=notes)


def read(data: bytes, **options: object) -> pandas.DataFrame:
    return pandas.read_csv(io.BytesIO(data), **options)


def test_pandas_reads_every_table_without_being_told_anything() -> None:
    files = tables.render(noted('two\nlines, "quoted"; and more', "🙂"), LIBRARY)
    frames = {name: read(data) for name, data in files.items()}
    assert {name: list(frame.columns) for name, frame in frames.items()} == {
        name: list(columns) for name, columns in COLUMNS.items()
    }
    answers = frames["responses"]
    mood = answers[(answers["item"] == "mood") & (answers["counts"] == 1)]
    assert mood["value"].between(0, 10).all() and len(mood) > 200
    local = pandas.to_datetime(answers["answered_local"], utc=True)
    assert (local.dropna() == pandas.to_datetime(answers["answered_utc"]).dropna()).all()
    assert pandas.to_datetime(answers["diary_day"]).is_monotonic_increasing
    assert list(frames["notes"]["text"]) == ['two\nlines, "quoted"; and more', "🙂"]
    joined = answers.dropna(subset="item").merge(frames["items"], on=["instrument", "item", "version"])
    assert len(joined) == answers["item"].notna().sum()
    assert ((joined["value"] >= joined["low"]) & (joined["value"] <= joined["high"]) | joined["value"].isna()).all()


def test_what_excel_needs_to_open_it_by_a_double_click() -> None:
    for data in tables.render(noted("a"), LIBRARY).values():
        assert data.startswith(b"\xef\xbb\xbf") and data.endswith(b"\r\n")
        assert data.count(b"\n") == data.count(b"\r\n")


def test_semicolons_and_decimal_commas() -> None:
    files = tables.render(noted("a; b"), LIBRARY, dialect=tables.SEMICOLONS)
    infusions = read(files["infusions"], sep=";", decimal=",")
    assert set(infusions["dose_mg_per_kg"]) == {0.5}
    assert b";0,5;" in files["infusions"] and list(read(files["notes"], sep=";")["text"]) == ["a; b"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", " =1+1", "'quoted"]
)  # fmt: skip
def test_a_spreadsheet_never_runs_what_a_patient_wrote(text: str) -> None:
    """One apostrophe in front, and only ever one: whoever takes it away again has the text."""
    found = read(tables.render(noted(text), LIBRARY)["notes"])["text"][0]
    assert found == "'" + text


@pytest.mark.parametrize(
    ("text", "comma", "semicolon"),
    [
        ("a;=1+1;b", "a;'=1+1;b", "a;=1+1;b"),
        ('a; "=1+1', "a; \"'=1+1", 'a; "=1+1'),
        ("a,=1+1", "a,=1+1", "a,'=1+1"),
        ("a\n=1+1", "a\n'=1+1", "a\n'=1+1"),
        ("a\t@b\r+c", "a\t'@b\r'+c", "a\t'@b\r'+c"),
        ("cold, -2; 3 - 4 = -1", "cold, -2; 3 - 4 = -1", "cold, '-2; 3 - 4 = -1"),
    ],
)
def test_nor_does_an_excel_that_splits_elsewhere(text: str, comma: str, semicolon: str) -> None:
    """An Excel of another country begins a new cell within the text, even within quotes."""
    assert read(tables.render(noted(text), LIBRARY)["notes"])["text"][0] == comma
    files = tables.render(noted(text), LIBRARY, dialect=tables.SEMICOLONS)
    assert read(files["notes"], sep=";")["text"][0] == semicolon


def test_texts_that_no_file_can_hold() -> None:
    found = read(tables.render(noted("a\x00b", "c\ud83dd", "-" * 4000, "quiet"), LIBRARY)["notes"])["text"]
    assert list(found) == ["a\ufffdb", "c?d", "'" + "-" * 4000, "quiet"]


def test_a_period_keeps_the_days_since_an_infusion_before_it() -> None:
    diary = diaries.clear_response_with_fading()
    first, last = date(2026, 11, 1), date(2026, 11, 20)
    files = tables.render(diary, LIBRARY, (first, last))
    answers = read(files["responses"])
    assert answers["diary_day"].min() == "2026-11-01" and answers["diary_day"].max() == "2026-11-20"
    assert (answers["days_since_infusion"] >= 12).all() and set(answers["infusion"]) == {15}
    assert len(read(files["infusions"])) == 0


def test_what_stands_beside_the_answers() -> None:
    diary = diaries.non_response()
    alerts = tuple(replace(alert, note="Called her sister.") for alert in diary.alerts)
    files = tables.render(replace(diary, alerts=alerts, planned=(date(2026, 12, 1),)), LIBRARY)
    assert set(read(files["alerts"])["note"]) == {"Called her sister."}
    events = read(files["events"])
    assert list(events["kind"]) == ["planned"] and list(events["first_day"]) == ["2026-12-01"]


def test_everybody_in_one_set_of_tables(tmp_path: Path) -> None:
    people = [diaries.non_response(), diaries.sparse_answers(), diaries.nothing_yet()]
    with tables.Folder(tmp_path, LIBRARY) as folder:
        for diary in people:
            folder.add(diary)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}.csv" for name in COLUMNS)
    answers = read((tmp_path / "responses.csv").read_bytes())
    alone = [read(tables.render(diary, LIBRARY)["responses"]) for diary in people]
    assert answers.equals(pandas.concat(alone, ignore_index=True).astype(answers.dtypes.to_dict()))
    with tables.Folder(tmp_path, LIBRARY, prefix="P-0107-") as folder:
        folder.add(people[0])
    for name, data in tables.render(people[0], LIBRARY).items():
        assert (tmp_path / f"P-0107-{name}.csv").read_bytes() == data


def test_a_run_that_breaks_off_leaves_no_file_that_looks_complete(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), tables.Folder(tmp_path, LIBRARY) as folder:
        folder.add(diaries.three_days())
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_the_dictionary_is_the_same_in_the_export_and_in_the_docs() -> None:
    rows = list(csv.DictReader(io.StringIO(tables.render(noted("a"), LIBRARY)["dictionary"].decode("utf-8-sig"))))
    assert {(row["table"], row["column"]) for row in rows if row["type"] and row["meaning"]} == {
        (table, column) for table, columns in COLUMNS.items() for column in columns
    }
    written = DICTIONARY.read_text(encoding="utf-8")
    for row in rows:
        assert f"| `{row['column']}` | {row['type']} | {row['meaning']} |" in written, "make pictures renews it"
