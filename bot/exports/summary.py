"""The words and small tables of the summary page; charts come from `charts`."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from statistics import mean
from unicodedata import east_asian_width

from bot.clinical.diary import AlertEntry, Diary, Event
from bot.clinical.response import REFERENCE_MINIMUM
from bot.clinical.terms import Level
from bot.exports import series
from bot.exports.figures import LEAST_GAIN, Answered, Figures, Period, Total, newest
from bot.exports.panels import lettered
from bot.exports.wording import NONE, Voice

ALERTS_SHOWN = 12
LONGEST_LINE = 110  # columns of an event on the summary page; a Chinese character takes two
LONGEST_CODE = 12
LONGEST_NAME = 36  # of a patient's code, a clinic, a rule of the clinic's own
SIDE_EFFECTS = "side_effects"
INFUSION_DAYS = 1  # side effects asked the next day still belong to the infusion
EPISODE_TICKS = (0, 7, 14, 21, 28, 42, 60)
LEAST_EPISODE_DAYS = 14  # a shorter axis would make single days look like trends
WORDS = (
    "mood",
    "mood_axis",
    "phq9",
    "phq9_axis",
    "course",
    "course_axis",
    "episodes",
    "episodes_axis",
    "side_effects",
    "side_effects_scale",
    "no_side_effects",
    "alerts",
    "no_alerts",
    "no_episodes",
    "no_phq9",
    "events",
    "seen_by",
    "date",
    "informs",
    "diary",
    "current",
    "half_mark",
)


def head(
    diary: Diary, known: Figures, voice: Voice, *, made_at: datetime, clinic: str, period: Period | None
) -> dict[str, str]:
    return {
        "patient": shortened(voice.typed(diary.patient), LONGEST_NAME),
        "clinic": shortened(voice.typed(clinic), LONGEST_NAME),
        "made": voice.say("head.made", moment=voice.moment(made_at), zone=voice.typed(diary.zone)),
        "enrolled": voice.say("head.enrolled", day=voice.day(diary.enrolled_on)),
        "period": voice.say("head.period", first=voice.day(period[0]), last=voice.day(period[1])) if period else "",
        "treatment": _treatment(diary, voice),
    }


def _treatment(diary: Diary, voice: Voice) -> str:
    if not diary.infusions:
        return voice.say("head.no_infusion")
    return voice.count("head.infusions", len(diary.infusions), first=voice.day(diary.infusions[0].day))


def tiles(diary: Diary, known: Figures, voice: Voice) -> list[dict[str, object]]:
    """The six numbers, each with what it rests on."""
    return [
        _since_infusion(diary, known, voice),
        _mood(known, voice),
        _phq9(known, voice),
        _item9(known, voice),
        _half_lost(known, voice),
        _answered(known, voice),
    ]


def _tile(
    voice: Voice, name: str, value: str, notes: Sequence[str], unit: str = "", concern: bool = False
) -> dict[str, object]:
    return {"label": voice.say(f"tile.{name}"), "value": value, "unit": unit, "notes": list(notes), "concern": concern}


def _since_infusion(diary: Diary, known: Figures, voice: Voice) -> dict[str, object]:
    given = known.infusion
    coming = [day for day in diary.planned if day > known.today]
    planned = [voice.say("tile.since.planned", day=voice.day(coming[0]))] if coming else []
    if given is None or known.days_since is None:
        return _tile(voice, "since", NONE, [voice.say("tile.since.none"), *planned])
    phase = voice.say(f"phase.{given.phase.value}")
    notes = [voice.say("tile.since.number", number=given.number, day=voice.day(given.day))]
    dose = (
        voice.say("tile.since.dose", dose=voice.dose(given.dose_mg_per_kg)) if given.dose_mg_per_kg is not None else ""
    )
    return _tile(
        voice, "since", str(known.days_since), [*notes, ", ".join(part for part in (phase, dose) if part), *planned]
    )


def _mood(known: Figures, voice: Voice) -> dict[str, object]:
    recent, before = known.recent, known.before
    quality = voice.say("tile.mood.answered", answered=recent.answered, days=recent.days)
    if before.value is None:
        reference = voice.say("tile.mood.no_before")
    else:
        reference = voice.say(
            "tile.mood.before", mean=voice.number(before.value), answered=before.answered, days=before.days
        )
    return _tile(voice, "mood", voice.number(recent.value), [quality, reference], unit="/ 10")


def _phq9(known: Figures, voice: Voice) -> dict[str, object]:
    if known.now is None or known.first is None or known.best is None:
        return _tile(voice, "phq9", NONE, [voice.say("tile.phq9.none")])
    return _tile(
        voice,
        "phq9",
        str(known.now.value),
        [
            voice.say("tile.phq9.now", band=_band(known.now, voice), day=voice.near_day(known.now.day, known.today)),
            voice.say(
                "tile.phq9.compared",
                first=known.first.value or 0,
                first_day=voice.near_day(known.first.day, known.today),
                best=known.best.value or 0,
                best_day=voice.near_day(known.best.day, known.today),
            ),
        ],
        unit="/ 27",
    )


def _band(total: Total, voice: Voice) -> str:
    return voice.named("band", total.band) if total.band else ""


def _item9(known: Figures, voice: Voice) -> dict[str, object]:
    if known.item9 is None or known.item9_highest is None:
        return _tile(
            voice, "item9", NONE, [voice.say("tile.item9.none"), _urge(known, voice)], concern=bool(known.urge)
        )
    day, value = known.item9
    high_day, high = known.item9_highest
    notes = [
        voice.say("tile.item9.now", answer=voice.say(f"option.{value}"), day=voice.near_day(day, known.today)),
        voice.say("tile.item9.highest", value=high, day=voice.day(high_day)),
        _urge(known, voice),
    ]
    return _tile(voice, "item9", str(value), notes, unit="/ 3", concern=value > 0 or bool(known.urge))


def _urge(known: Figures, voice: Voice) -> str:
    return voice.say("tile.item9.urge", value=NONE if known.urge is None else known.urge)


def _half_lost(known: Figures, voice: Voice) -> dict[str, object]:
    middle = known.half_lost_median
    earlier = (
        voice.say(
            "tile.half.median",
            median=voice.number(middle, 0 if middle == int(middle) else 1),
            lost=len(known.half_lost_days),
            gains=known.gains,
        )
        if middle is not None
        else voice.say("tile.half.no_median")
    )
    if known.half_lost is not None:
        said = [voice.say("tile.half.this"), earlier]
        return _tile(voice, "half", str(known.half_lost), said, unit=voice.say("tile.half.unit"))
    return _tile(voice, "half", NONE, [voice.say(f"tile.half.{_why_no_half(known)}", least=REFERENCE_MINIMUM), earlier])


def _why_no_half(known: Figures) -> str:
    if known.infusion is None:
        return "no_infusion"
    if known.gain is None:
        return "unknown"
    return "not_yet" if known.half_holds and known.gain >= LEAST_GAIN else "no_gain"


def _answered(known: Figures, voice: Voice) -> dict[str, object]:
    whole = known.answered
    notes = [
        voice.say("tile.answered.days", answered=whole.days, due=whole.due),
        voice.say("tile.answered.recent", answered=known.answered_recently.days, due=known.answered_recently.due),
    ]
    if whole.by_others:
        notes.append(voice.count("tile.answered.by_others", whole.by_others))
    if whole.undelivered:
        notes.append(voice.count("tile.answered.undelivered", whole.undelivered))
    return _tile(voice, "answered", _percent(whole, voice), notes, unit="%" if whole.due else "")


def _percent(known: Answered, voice: Voice) -> str:
    return voice.number(100 * known.days / known.due, 0) if known.due else NONE


def phq9_in_words(known: Figures, voice: Voice) -> str:
    if known.now is None or known.first is None or known.best is None:
        return voice.say("page.no_phq9")
    return voice.say(
        "caption.phq9_course",
        now=known.now.value or 0,
        day=voice.day(known.now.day),
        first=known.first.value or 0,
        best=known.best.value or 0,
    )


def episodes(diary: Diary, known: Figures, voice: Voice) -> dict[str, object]:
    """The last eight infusions on shared axes; the axis ends where the longest of them does."""
    found = series.episodes(diary, known.today)
    shown = found[-series.EPISODES_SHOWN :]
    longest = max((int(point[0]) for episode in shown for point in episode.points), default=0)
    days = max(LEAST_EPISODE_DAYS, min(longest, series.LONGEST_EPISODE))
    band = [point for point in series.middle_half(found) if point[0] <= days]
    return {
        "shared": {
            "days": days,
            "ticks": [
                {"at": day, "label": str(day)}
                for day in EPISODE_TICKS
                if day <= days and (days <= 35 or day not in (7, 21))
            ],
            "band_name": voice.say("page.band", n=len(found)),
            "band": band,
            "outline": [(day, low) for day, low, _ in band] + [(day, high) for day, _, high in reversed(band)],
        },
        "shown": [
            {
                "title": voice.say(
                    "episode.title",
                    number=episode.infusion.number,
                    day=voice.near_day(episode.infusion.day, known.today),
                ),
                "quality": voice.count("episode.quality", episode.days, answered=len(episode.points)),
                "points": episode.points,
                "lines": episode.runs,
                "current": episode is found[-1],
                "half": known.half_lost_days.get(episode.infusion.number),
            }
            for episode in shown
        ],
        "alt": voice.count("episode.alt", len(shown)),
    }


def side_effects(diary: Diary, voice: Voice) -> dict[str, object] | None:
    """Worst answer of the infusion day and the next by infusion, the last eight; None when none was asked."""
    shown = diary.infusions[-series.EPISODES_SHOWN :]
    worst = {infusion.number: _worst(diary, infusion.day) for infusion in shown}
    items = list(dict.fromkeys(item for answers in worst.values() for item in answers))
    if not items:
        return None
    return {
        "heads": [str(infusion.number) for infusion in shown],
        "rows": [
            {
                "name": shortened(voice.named("item", item), LONGEST_NAME),
                "cells": [worst[infusion.number].get(item) for infusion in shown],
            }
            for item in items
            if any(worst[infusion.number].get(item) is not None for infusion in shown)
        ],
    }


def _worst(diary: Diary, day: date) -> dict[str, int | None]:
    worst: dict[str, int | None] = {}
    for check_in in diary.check_ins:
        if not day <= check_in.day <= day + timedelta(days=INFUSION_DAYS):
            continue
        for item, answer in newest(check_in, SIDE_EFFECTS).items():
            known = worst.get(item)
            worst[item] = known if answer.value is None else answer.value if known is None else max(known, answer.value)
    return worst


def alerts(diary: Diary, voice: Voice) -> dict[str, object]:
    """The last twelve, newest first, and counts of all."""
    counted = Counter(alert.level for alert in diary.alerts)
    waits = [alert.acknowledged_at - alert.raised_at for alert in diary.alerts if alert.acknowledged_at]
    levels = ", ".join(
        f"{counted[level]} {voice.say(f'level.{level.value}')}" for level in reversed(Level) if counted[level]
    )
    count = voice.count("alerts.count", len(diary.alerts), levels=levels) if diary.alerts else ""
    if waits:
        middle = sorted(waits)[len(waits) // 2] if len(waits) % 2 else mean_wait(sorted(waits))
        count += " " + voice.say("alerts.median", wait=voice.lasting(middle), taken=len(waits), all=len(diary.alerts))
    return {
        "heads": [voice.say(f"alerts.{name}") for name in ("code", "raised", "rule", "level", "taken", "outcome")],
        "rows": [_alert(alert, voice) for alert in reversed(diary.alerts[-ALERTS_SHOWN:])],
        "count": count,
        "more": voice.count("alerts.earlier", len(diary.alerts) - ALERTS_SHOWN)
        if len(diary.alerts) > ALERTS_SHOWN
        else "",
    }


def mean_wait(waits: Sequence[timedelta]) -> timedelta:
    """The middle of an even number of sorted waits."""
    half = len(waits) // 2
    return timedelta(seconds=mean(wait.total_seconds() for wait in waits[half - 1 : half + 1]))


def _alert(alert: AlertEntry, voice: Voice) -> dict[str, str]:
    return {
        "code": shortened(voice.typed(alert.code), LONGEST_CODE),
        "raised": voice.say("alerts.moment", day=voice.day(alert.day), time=voice.time(alert.raised_at)),
        "rule": voice.say(f"rule.{alert.rule.value}"),
        "level": alert.level.value,
        "level_name": voice.say(f"level.{alert.level.value}"),
        "taken": voice.lasting(alert.acknowledged_at - alert.raised_at)
        if alert.acknowledged_at
        else voice.say("alerts.not_taken"),
        "outcome": shortened(voice.named("outcome", alert.outcome), LONGEST_NAME)
        if alert.outcome
        else voice.say("alerts.closed" if alert.closed_at else "alerts.open"),
    }


def events(diary: Diary, voice: Voice, shown: Period) -> dict[str, object]:
    """The latest dated entries with the letters that they have in the chart."""
    found = lettered(diary, shown)
    named = [(event, letter) for event, letter in found if letter]
    left = len(found) - len(named)
    return {
        "lines": [{"letter": letter, "words": shortened(event_in_words(event, voice))} for event, letter in named],
        "more": voice.count("events.more", left) if left else "",
    }


def shortened(text: str, longest: int = LONGEST_LINE) -> str:
    """For the summary page, which has one line for it; the diary behind it has the whole text."""
    kept, width = "", 0
    for character in " ".join(text.split()):
        width += 2 if east_asian_width(character) in ("W", "F") else 1
        if width > longest:
            return kept.rstrip() + "…"
        kept += character
    return kept


def event_in_words(event: Event, voice: Voice) -> str:
    days = (
        voice.day(event.day)
        if event.until is None
        else voice.say("span", first=voice.short_day(event.day), last=voice.day(event.until))
    )
    value = voice.number(event.value, 0 if event.value == int(event.value) else 1) if event.value is not None else ""
    return " ".join(
        part for part in (f"{days}:", voice.named("event", event.kind), voice.typed(event.text), value) if part
    )
