"""Charts as pictures for the chat, drawn from the panels of the printed page; each with a caption in words."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from bot.clinical.diary import Diary
from bot.clinical.library import Library
from bot.clinical.terms import Level
from bot.exports import series
from bot.exports.figures import Figures, Period, figures, highest_urges, mean_of_mood
from bot.exports.panels import (
    SHOWN_ALERTS,
    beginning,
    legend,
    mood,
    mood_legend,
    questionnaire,
    questionnaire_legend,
    span,
    window,
)
from bot.exports.typesetting import png
from bot.exports.wording import Voice
from bot.texts import Texts

ALERT_DAYS = 42
ROSTER_DAYS = 28
ROSTER_ROWS = 30  # more would not be readable on a phone
LONGEST_CAPTION = 900  # characters; Telegram takes 1,024 under a picture


def patient_chart(
    diary: Diary,
    *,
    library: Library,
    texts: Texts,
    language: str,
    today: date,
    period: Period | None = None,
    staff: bool = True,
) -> bytes:
    """PNG, 1080 pixels wide: mood and PHQ-9 on one time axis. Alerts are shown to `staff` only."""
    voice = Voice(texts, language, diary.zone)
    shown = window(diary, today, period)
    panel, phq9 = _without_letters(mood(diary, voice, shown)), questionnaire(diary, library, voice, shown)
    if not staff:
        panel |= {"alerts": [], "urge": [], "strips": [voice.say("page.strip_days"), voice.say("page.events")]}
    data = {
        "lang": language,
        "title": f"{voice.typed(diary.patient)} · {span(voice, shown)}",
        "mood": panel,
        "phq9": phq9,
        "words": {word: voice.say(f"page.{word}") for word in ("mood", "mood_axis", "phq9", "phq9_axis")},
        "legend": mood_legend(voice, panel) + questionnaire_legend(voice, phq9),
        "height": {"mood": 64, "phq9": 40},
    }
    return png("patient.typ", data, ppi=180)


def _without_letters(panel: dict[str, Any]) -> dict[str, Any]:
    """A letter would refer to words that only the page has."""
    return panel | {"events": [mark | {"label": ""} for mark in panel["events"]]}


def alert_chart(diary: Diary, *, library: Library, texts: Texts, language: str, today: date) -> bytes:
    """PNG, 720 pixels wide: the mood of the last six weeks, to go beside an alert."""
    voice = Voice(texts, language, diary.zone)
    shown = _alert_days(diary, today)
    panel = _without_letters(mood(diary, voice, shown))
    data = {
        "lang": language,
        "title": f"{voice.typed(diary.patient)} · {span(voice, shown)}",
        "mood": panel,
        "legend": mood_legend(voice, panel),
    }
    return png("alert.typ", data, ppi=180)


def roster(diaries: Sequence[Diary], *, texts: Texts, language: str, today: date, left: int = 0) -> bytes:
    """PNG, 1080 pixels wide: one line per patient in the order given; whoever is `left` out is counted below."""
    voice = Voice(texts, language)
    data = {
        "lang": language,
        "title": voice.say("roster.title", day=voice.day(today)),
        "heads": [voice.say(f"roster.{head}") for head in ("patient", "days", "mood", "since", "open")],
        "rows": [_roster_row(diary, voice, today) for diary in diaries],
        "more": voice.count("roster.more", left) if left else "",
        "legend": legend(voice, ("mean", "infusion_line", "missed", "orange", "red")),
    }
    return png("roster.typ", data, ppi=180)


def caption(
    diary: Diary,
    *,
    library: Library,
    texts: Texts,
    language: str,
    today: date,
    period: Period | None = None,
    staff: bool = True,
) -> str:
    """What the patient's chart shows, in words."""
    voice = Voice(texts, language, diary.zone)
    return chart_in_words(diary, figures(diary, library, today), voice, window(diary, today, period), staff=staff)


def alert_caption(diary: Diary, *, library: Library, texts: Texts, language: str, today: date) -> str:
    """What the alert's chart shows, in words."""
    period = _alert_days(diary, today)
    return caption(diary, library=library, texts=texts, language=language, today=today, period=period)


def _alert_days(diary: Diary, today: date) -> Period:
    return max(beginning(diary), today - timedelta(days=ALERT_DAYS - 1)), today


def roster_caption(diaries: Sequence[Diary], *, texts: Texts, language: str, today: date, left: int = 0) -> str:
    """The roster's lines in words, one per patient, as many as a caption holds; the rest is counted."""
    voice = Voice(texts, language)
    lines: list[str] = []
    for diary in diaries:
        row = _roster_row(diary, voice, today)
        line = voice.say("roster.line", **{name: str(row[name]) for name in ("patient", "mood", "since", "open")})
        if sum(map(len, lines)) + len(lines) + len(line) > LONGEST_CAPTION:
            break
        lines.append(line)
    left += len(diaries) - len(lines)
    if left:
        lines.append(voice.count("roster.more", left))
    return "\n".join(lines)


def chart_in_words(diary: Diary, known: Figures, voice: Voice, shown: Period, *, staff: bool = True) -> str:
    first, last = shown
    values = [value for day, value in diary.values("daily", "mood") if first <= day <= last]
    if not values:
        return voice.say("caption.empty", span=span(voice, shown))
    parts = [
        voice.say("caption.mood", span=span(voice, shown), low=min(values), high=max(values), answered=len(values)),
        recent_in_words(voice, known),
    ]
    urges = [high for day, high in highest_urges(diary) if first <= day <= last] if staff else []
    if any(urges):
        above = sum(high > 0 for high in urges)
        parts.append(voice.say("caption.urge", n=above, answered=len(urges), high=max(urges)))
    given = [infusion for infusion in diary.infusions if first <= infusion.day <= last]
    if given:
        parts.append(voice.count("caption.infusions", len(given), day=voice.day(given[-1].day)))
    if known.now and known.now.value is not None:
        parts.append(voice.say("caption.phq9", value=known.now.value, day=voice.day(known.now.day)))
    return " ".join(parts)


def recent_in_words(voice: Voice, known: Figures) -> str:
    if known.recent.value is None:
        return voice.say("caption.recent_none")
    return voice.say(
        "caption.recent", mean=voice.number(known.recent.value), answered=known.recent.answered, days=known.recent.days
    )


def _roster_row(diary: Diary, voice: Voice, today: date) -> dict[str, object]:
    first = today - timedelta(days=ROSTER_DAYS - 1)
    recent = mean_of_mood(diary, today - timedelta(days=6), today)
    given = [infusion.day for infusion in diary.infusions if infusion.day <= today]
    open_alerts = [alert for alert in diary.alerts if alert.closed_at is None and alert.level is not Level.NOTE]
    missed, _ = series.unanswered(diary, first, today)
    return {
        "patient": voice.typed(diary.patient),
        "spark": {
            "days": ROSTER_DAYS,
            "dots": series.answers(diary, first, today),
            "lines": series.moving_means(diary, first, today),
            "infusions": [(day - first).days for day in given if day >= first],
            "missed": missed,
            "alerts": [
                {"x": (alert.day - first).days, "level": alert.level.value}
                for alert in diary.alerts
                if alert.level in SHOWN_ALERTS and first <= alert.day <= today
            ],
        },
        "mood": voice.say("roster.mean", mean=voice.number(recent.value), answered=recent.answered, days=recent.days),
        "since": voice.say("roster.day", n=(today - given[-1]).days) if given else voice.say("roster.no_infusion"),
        "open": ", ".join(
            f"{voice.say(f'level.{level.value}')} {n}"
            for level in reversed(Level)
            if (n := sum(alert.level is level for alert in open_alerts))
        )
        or voice.say("roster.none"),
    }
