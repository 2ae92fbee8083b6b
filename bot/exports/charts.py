"""Charts as pictures for the chat, and the same charts as data for the printed page; each with a caption in words."""

from collections.abc import Sequence
from datetime import date, timedelta

from bot.clinical.diary import Diary
from bot.clinical.library import Library
from bot.clinical.terms import Level
from bot.exports import series
from bot.exports.axes import ticks
from bot.exports.figures import Figures, Period, figures, mean_of_mood, totals
from bot.exports.typesetting import png
from bot.exports.wording import Voice
from bot.texts import Texts

A_YEAR = 366  # days on the axis unless a period is asked for; a longer one hides single infusions
MANY_DAYS = 150  # from here on dots and ticks are drawn finer
ALERT_DAYS = 42
ROSTER_DAYS = 28
ROSTER_ROWS = 30  # more would not be readable on a phone
MOST_INFUSION_LABELS = 24
PHQ9_HIGH = 27
SHOWN_ALERTS = (Level.ORANGE, Level.RED)


def patient_chart(
    diary: Diary, *, library: Library, texts: Texts, language: str, today: date, period: Period | None = None
) -> bytes:
    """PNG, 1080 pixels wide: mood and PHQ-9 on one time axis."""
    voice = Voice(texts, language, diary.zone)
    shown = window(diary, today, period)
    data = {
        "lang": language,
        "title": f"{voice.typed(diary.patient)} · {span(voice, shown)}",
        "mood": mood(diary, voice, shown, today),
        "phq9": questionnaire(diary, library, voice, shown),
        "words": {word: voice.say(f"page.{word}") for word in ("mood", "phq9", "phq9_axis")},
        "legend": legend(voice),
        "height": {"mood": 64, "phq9": 40},
    }
    return png("patient.typ", data, ppi=180)


def alert_chart(diary: Diary, *, library: Library, texts: Texts, language: str, today: date) -> bytes:
    """PNG, 720 pixels wide: the mood of the last six weeks, to go beside an alert."""
    voice = Voice(texts, language, diary.zone)
    shown = (max(_beginning(diary), today - timedelta(days=ALERT_DAYS - 1)), today)
    data = {
        "lang": language,
        "title": f"{voice.typed(diary.patient)} · {span(voice, shown)}",
        "mood": mood(diary, voice, shown, today),
        "legend": legend(voice, ("dot", "mean", "infusion", "missed", "orange", "red")),
    }
    return png("alert.typ", data, ppi=180)


def roster(diaries: Sequence[Diary], *, texts: Texts, language: str, today: date) -> bytes:
    """PNG, 1080 pixels wide: one line per patient in the order given, at most thirty; the rest is counted below."""
    voice = Voice(texts, language)
    shown = diaries[:ROSTER_ROWS]
    left = len(diaries) - len(shown)
    data = {
        "lang": language,
        "title": voice.say("roster.title", day=voice.day(today)),
        "heads": [voice.say(f"roster.{head}") for head in ("patient", "days", "mood", "since", "open")],
        "rows": [_roster_row(diary, voice, today) for diary in shown],
        "more": voice.count("roster.more", left) if left else "",
        "legend": legend(voice, ("mean", "infusion_line", "missed", "orange", "red")),
    }
    return png("roster.typ", data, ppi=180)


def caption(
    diary: Diary, *, library: Library, texts: Texts, language: str, today: date, period: Period | None = None
) -> str:
    """What the patient's chart shows, in words."""
    voice = Voice(texts, language, diary.zone)
    return chart_in_words(diary, figures(diary, library, today), voice, window(diary, today, period))


def alert_caption(diary: Diary, *, library: Library, texts: Texts, language: str, today: date) -> str:
    """What the alert's chart shows, in words."""
    period = (max(_beginning(diary), today - timedelta(days=ALERT_DAYS - 1)), today)
    return caption(diary, library=library, texts=texts, language=language, today=today, period=period)


def roster_caption(diaries: Sequence[Diary], *, texts: Texts, language: str, today: date) -> str:
    """The roster's lines in words, one per patient."""
    voice = Voice(texts, language)
    lines = []
    for diary in diaries:
        row = _roster_row(diary, voice, today)
        lines.append(
            voice.say("roster.line", **{name: str(row[name]) for name in ("patient", "mood", "since", "open")})
        )
    return "\n".join(lines)


def chart_in_words(diary: Diary, known: Figures, voice: Voice, shown: Period) -> str:
    first, last = shown
    values = [value for day, value in diary.values("daily", "mood") if first <= day <= last]
    if not values:
        return voice.say("caption.empty", span=span(voice, shown))
    parts = [
        voice.say("caption.mood", span=span(voice, shown), low=min(values), high=max(values), answered=len(values)),
        recent_in_words(voice, known),
    ]
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


def window(diary: Diary, today: date, period: Period | None) -> Period:
    """The days on the time axis: the period asked for, else from enrolment on, at most a year back."""
    if period is not None:
        return period
    return max(_beginning(diary), today - timedelta(days=A_YEAR - 1)), today


def _beginning(diary: Diary) -> date:
    return min(
        [diary.enrolled_on, *(check_in.day for check_in in diary.check_ins[:1]), *(i.day for i in diary.infusions[:1])]
    )


def span(voice: Voice, shown: Period) -> str:
    first, last = shown
    return voice.say(
        "span", first=voice.short_day(first) if first.year == last.year else voice.day(first), last=voice.day(last)
    )


def mood(diary: Diary, voice: Voice, shown: Period, today: date) -> dict[str, object]:
    """The mood panel in data units."""
    first, last = shown
    missed, undelivered = series.unanswered(diary, first, last)
    many = (last - first).days > MANY_DAYS
    before = [
        value for day, value in diary.values("daily", "mood") if diary.infusions and day < diary.infusions[0].day
    ][-7:]
    return {
        "range": [0, max((last - first).days, 1)],
        "ticks": ticks(first, last, voice),
        "ticks_y": [0, 2, 4, 6, 8, 10],
        "dots": series.answers(diary, first, last),
        "dot": 0.75 if many else 1.3,
        "means": series.moving_means(diary, first, last),
        "infusions": infusion_marks(diary, shown),
        "missed": missed,
        "undelivered": undelivered,
        "tick": 0.5 if many else 0.9,
        "before": sum(before) / len(before) if len(before) >= 3 else None,
        "alerts": [
            {"x": (alert.day - first).days, "level": alert.level.value}
            for alert in diary.alerts
            if alert.level in SHOWN_ALERTS and first <= alert.day <= last
        ],
        "events": [{"x": (event.day - first).days} for event in diary.events if first <= event.day <= last],
    }


def infusion_marks(diary: Diary, shown: Period) -> list[dict[str, object]]:
    """Numbered; where numbers would run into each other, only every few of them, and always the last, are written."""
    first, last = shown
    inside = [infusion for infusion in diary.infusions if first <= infusion.day <= last]
    apart = max((last - first).days // 40, 1)
    marks: list[dict[str, object]] = []
    labelled: date | None = None
    for infusion in reversed(inside):
        clear = labelled is None or (labelled - infusion.day).days >= apart
        labelled = infusion.day if clear else labelled
        marks.append({"x": (infusion.day - first).days, "label": str(infusion.number) if clear else ""})
    return marks[::-1]


def questionnaire(diary: Diary, library: Library, voice: Voice, shown: Period) -> dict[str, object]:
    """The PHQ-9 panel in data units; answers by somebody else are left out as in every figure."""
    first, last = shown
    points: list[series.Point] = [
        ((total.day - first).days, total.value)
        for total in totals(diary, library, "phq9")
        if total.own and total.value is not None and first <= total.day <= last
    ]
    return {
        "range": [0, max((last - first).days, 1)],
        "ticks": ticks(first, last, voice),
        "high": PHQ9_HIGH,
        "bands": [
            {"from": low, "to": high, "label": voice.say(f"band.{band}")}
            for low, high, band in (
                (0, 5, "minimal"),
                (5, 10, "mild"),
                (10, 15, "moderate"),
                (15, 20, "moderately_severe"),
                (20, 27, "severe"),
            )
        ],
        "infusions": [{"x": mark["x"]} for mark in infusion_marks(diary, shown)],
        "points": points,
        "lines": series.questionnaire_runs(points),
    }


def legend(
    voice: Voice,
    kinds: Sequence[str] = ("dot", "mean", "infusion", "before", "missed", "undelivered", "orange", "red", "event"),
) -> list[dict[str, str]]:
    return [{"kind": kind, "text": voice.say(f"legend.{kind}")} for kind in kinds]


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
