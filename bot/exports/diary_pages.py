"""The full diary after the summary page: every answer with its time, corrections, notes and what was not answered."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from bot.clinical.diary import AlertEntry, CheckIn, Diary, Infusion, Response
from bot.clinical.instrument import Score
from bot.clinical.library import Library
from bot.clinical.terms import Mode
from bot.exports.figures import OWN_MODES, instruments_of, newest
from bot.exports.summary import event_in_words
from bot.exports.wording import NONE, Voice

DAILY = "daily"
WIDE_LINE, NARROW_LINE = 100, 44  # Latin characters that surely fit beside the day, and beside the daily items
SITTING = timedelta(minutes=2)  # answers given within it share one time, from the first to the last
DAILY_ITEMS = ("mood", "interest", "sleep", "urge", "intent")


def view(diary: Diary, library: Library, voice: Voice) -> dict[str, object]:
    """Rows by month, oldest first; `rows` of kind "check_in" have a cell per daily item, the others one sentence."""
    rows = sorted(_rows(diary, library, voice), key=lambda row: (row.day, row.order, row.moment))
    return {
        "heads": [voice.say(f"diary.{name}") for name in ("day", "asked", "answered")]
        + [voice.named("short", item) for item in DAILY_ITEMS]
        + [voice.say("diary.more")],
        "months": list(_months(rows, voice)),
        "empty": voice.say("diary.empty"),
        "scale": voice.say("diary.scale"),
    }


@dataclass(frozen=True, slots=True)
class _Row:
    day: date
    order: int  # within the day: infusion, events, check-ins, notes
    moment: str
    cells: dict[str, object]


def _months(rows: Sequence[_Row], voice: Voice) -> Iterator[dict[str, object]]:
    months: dict[date, list[_Row]] = {}
    for row in rows:
        months.setdefault(row.day.replace(day=1), []).append(row)
    for month, inside in months.items():
        seen: date | None = None
        shown = []
        for row in inside:
            day = voice.weekday(row.day) if row.day != seen else ""
            shown.append(row.cells | {"day": day, "one_line": _fits_one_line(row.cells)})
            seen = row.day
        yield {"name": voice.month_of_year(month), "rows": shown}


def _fits_one_line(cells: dict[str, Any]) -> bool:
    """Rows of a known height are set in three quarters of the time; whatever could be higher is left to be measured."""
    words, width = (cells["words"], WIDE_LINE) if "words" in cells else (cells["more"], NARROW_LINE)
    return len(words) <= width and all(" " <= character < "\u0250" for character in words)


def _rows(diary: Diary, library: Library, voice: Voice) -> Iterator[_Row]:
    for infusion in diary.infusions:
        yield _Row(
            infusion.day, 0, infusion.given_at.isoformat(), _line("infusion", infusion_in_words(infusion, voice))
        )
    for event in diary.events:
        yield _Row(event.day, 1, "", _line("event", event_in_words(event, voice)))
    for check_in in diary.check_ins:
        yield _Row(check_in.day, 2, check_in.due_at.isoformat(), _check_in(check_in, library, voice))
    for note in diary.notes:
        words = voice.say("diary.note", time=voice.time(note.written_at), text=voice.typed(note.text))
        yield _Row(note.day, 3, note.written_at.isoformat(), _line("note", words))
    for alert in diary.alerts:
        yield _Row(
            alert.day,
            4,
            alert.raised_at.isoformat(),
            _line(
                "alert",
                voice.say(
                    "diary.alert",
                    code=voice.typed(alert.code),
                    level=voice.say(f"level.{alert.level.value}"),
                    time=voice.time(alert.raised_at),
                    reason=reason(alert.reason, alert.values, alert.rule.value, voice),
                )
                + _ending(alert, voice),
            ),
        )


def _ending(alert: AlertEntry, voice: Voice) -> str:
    if alert.closed_at is None:
        return ""
    outcome = voice.named("outcome", alert.outcome) if alert.outcome else voice.say("alerts.closed")
    said = voice.say("diary.alert_end", moment=voice.short_moment(alert.closed_at), outcome=outcome)
    return f" · {said}" + (f" · {voice.typed(alert.note)}" if alert.note else "")


def reason(key: str, values: dict[str, float | int | str], rule: str, voice: Voice) -> str:
    """The finding's sentence; the rule's name when this catalogue does not know the key or lacks a value for it."""
    written = {name: voice.number(value) if isinstance(value, float) else value for name, value in values.items()}
    try:
        return voice.typed(voice.texts.say(key, voice.language, **written))
    except (KeyError, IndexError, ValueError):
        return voice.say(f"rule.{rule}")


def infusion_in_words(infusion: Infusion, voice: Voice) -> str:
    parts = [
        voice.say("diary.infusion", number=infusion.number, time=voice.time(infusion.given_at)),
        voice.say(f"phase.{infusion.phase.value}"),
    ]
    if infusion.dose_mg_per_kg is not None:
        parts.append(voice.say("tile.since.dose", dose=voice.dose(infusion.dose_mg_per_kg)))
    if infusion.systolic is not None and infusion.diastolic is not None:
        parts.append(voice.say("diary.pressure", systolic=infusion.systolic, diastolic=infusion.diastolic))
    return ", ".join(parts)


def _line(kind: str, words: str) -> dict[str, object]:
    return {"kind": kind, "words": words}


def _check_in(check_in: CheckIn, library: Library, voice: Voice) -> dict[str, object]:
    if not check_in.responses:
        words = voice.say(
            "diary.nothing",
            slot=voice.named("slot", check_in.slot),
            outcome=voice.say(f"result.{check_in.outcome.value}"),
        )
        return _line("missed", words)
    daily = newest(check_in, DAILY)
    more = [
        _instrument(check_in, code, version, library, voice)
        for code, version in instruments_of(check_in).items()
        if code != DAILY
    ]
    more += [_other_daily(daily, voice)] if set(daily) - set(DAILY_ITEMS) else []
    more += _corrections(check_in, voice)
    modes = {answer.mode for answer in check_in.responses} - set(OWN_MODES)
    more += [voice.say(f"mode.{mode.value}") for mode in (Mode.PROXY, Mode.STAFF) if mode in modes]
    if check_in.outcome.value == "partly":
        more.append(voice.say("result.partly"))
    shown = [daily.get(item) for item in DAILY_ITEMS]
    given = [answer for answer in shown if answer is not None]
    return {
        "kind": "check_in",
        "asked": voice.time(check_in.prompted_at) if check_in.prompted_at else "",
        "answered": _from_to(given, voice) if given else "",
        "cells": [_said(answer, voice) for answer in shown] if daily else [],
        "times": [voice.time(answer.answered_at) if answer else "" for answer in shown] if _apart(given) else [],
        "more": "; ".join(more),
    }


def _apart(given: Sequence[Response]) -> bool:
    """So long between them that each answer needs its own time beside it."""
    moments = [answer.answered_at for answer in given]
    return bool(moments) and max(moments) - min(moments) > SITTING


def _said(answer: Response | None, voice: Voice) -> str:
    if answer is None:
        return ""
    return voice.say("diary.skipped") if answer.value is None else str(answer.value)


def _from_to(answers: Iterable[Response], voice: Voice) -> str:
    moments = [answer.answered_at for answer in answers]
    start, end = voice.time(min(moments)), voice.time(max(moments))
    return start if start == end else f"{start}–{end}"


def _other_daily(daily: dict[str, Response], voice: Voice) -> str:
    return ", ".join(
        f"{voice.named('item', item)} {_said(answer, voice)} {voice.time(answer.answered_at)}"
        for item, answer in daily.items()
        if item not in DAILY_ITEMS
    )


def _instrument(check_in: CheckIn, code: str, version: str, library: Library, voice: Voice) -> str:
    answers = newest(check_in, code)
    instrument = library.instrument(code, version)
    score = instrument.score({item: answer.value for item, answer in answers.items()})
    title = voice.named("instrument", code)
    if score is None:
        said = ", ".join(f"{voice.named('item', item)} {_said(answer, voice)}" for item, answer in answers.items())
        return f"{title} {_from_to(answers.values(), voice)}: {said}"
    digits = " ".join(NONE if answer.value is None else str(answer.value) for answer in answers.values())
    total = str(score.value) if isinstance(score, Score) else voice.say("diary.incomplete")
    return f"{title} {_from_to(answers.values(), voice)}: {total} ({digits})"


def _corrections(check_in: CheckIn, voice: Voice) -> list[str]:
    earlier: dict[tuple[str, str], Response] = {}
    found = []
    for answer in sorted(check_in.responses, key=lambda response: response.revision):
        previous = earlier.get((answer.instrument, answer.item))
        if previous is not None:
            found.append(
                voice.say(
                    "diary.correction",
                    item=voice.named("item", answer.item),
                    old=_said(previous, voice),
                    old_time=voice.time(previous.answered_at),
                    new=_said(answer, voice),
                    time=voice.time(answer.answered_at),
                )
            )
        earlier[answer.instrument, answer.item] = answer
    return found
