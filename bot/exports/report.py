"""The page before the decision: one summary page, then the full diary, as PDF/A-2a and PDF/UA-1.

It reports what was answered and recommends nothing. Rendering takes processor time: call it from a thread.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.clinical.diary import Diary
from bot.clinical.library import Library
from bot.exports import charts, diary_pages, panels, summary
from bot.exports.figures import Period, figures, until, within
from bot.exports.typesetting import pdf, png
from bot.exports.wording import Voice
from bot.texts import Texts

DAY_ENDS_AT = timedelta(hours=4)  # local; the diary day of docs/glossary.md


def render(
    diary: Diary,
    *,
    library: Library,
    texts: Texts,
    language: str,
    made_at: datetime,
    clinic: str,
    period: Period | None = None,
) -> bytes:
    """PDF. With a `period` (both days included) the numbers on top are those known at its end."""
    data = view(diary, library=library, texts=texts, language=language, made_at=made_at, clinic=clinic, period=period)
    return pdf("report.typ", data, made_at)


def picture(
    diary: Diary,
    *,
    library: Library,
    texts: Texts,
    language: str,
    made_at: datetime,
    clinic: str,
    period: Period | None = None,
    ppi: float = 110,
) -> bytes:
    """PNG of the summary page alone."""
    data = view(
        diary, library=library, texts=texts, language=language, made_at=made_at, clinic=clinic, period=period,
        whole=False,
    )  # fmt: skip
    return png("report.typ", data, ppi=ppi)


def view(
    diary: Diary,
    *,
    library: Library,
    texts: Texts,
    language: str,
    made_at: datetime,
    clinic: str,
    period: Period | None = None,
    whole: bool = True,
) -> dict[str, object]:
    """Everything on the pages as ready sentences and numbers in data units; the template only places it.

    Not `whole`: the summary page without the diary behind it.
    """
    voice = Voice(texts, language, diary.zone)
    today = last_day(diary, made_at, period)
    diary = until(diary, today)
    known = figures(diary, library, today)
    shown = panels.window(diary, today, period)
    mood, phq9 = panels.mood(diary, voice, shown), panels.questionnaire(diary, library, voice, shown)
    return {
        "lang": language,
        "title": voice.say("title", patient=summary.shortened(voice.typed(diary.patient), summary.LONGEST_NAME)),
        "head": summary.head(diary, known, voice, made_at=made_at, clinic=clinic, period=period),
        "tiles": summary.tiles(diary, known, voice),
        "mood": mood,
        "mood_alt": charts.chart_in_words(diary, known, voice, shown),
        "phq9": phq9,
        "phq9_alt": summary.phq9_in_words(known, voice),
        "course": panels.course(diary, voice, shown),
        "legend": panels.mood_legend(voice, mood),
        "phq9_legend": panels.questionnaire_legend(voice, phq9),
        "span": panels.span(voice, shown),
        "episodes": summary.episodes(diary, known, voice),
        "side_effects": summary.side_effects(diary, voice),
        "alerts": summary.alerts(within(diary, period), voice),
        "events": summary.events(diary, voice, shown),
        "words": {word: voice.say(f"page.{word}") for word in summary.WORDS},
        "diary": diary_pages.view(within(diary, period), library, voice) if whole else None,
    }


def last_day(diary: Diary, made_at: datetime, period: Period | None) -> date:
    """The diary day in which `made_at` falls for this patient, or the end of the period when that is earlier."""
    present = (made_at.astimezone(ZoneInfo(diary.zone)) - DAY_ENDS_AT).date()
    return min(present, period[1]) if period else present
