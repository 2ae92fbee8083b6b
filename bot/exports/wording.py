"""Numbers, days and moments as the reader writes them; sentences come from the catalogues."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

from bot.exports.typesetting import printable
from bot.texts import Texts, type_of_value

NONE = "–"
NO_BREAK = "\u00a0"
HOURS_WRITTEN_AS_DAYS = 48


@dataclass(frozen=True, slots=True)
class Voice:
    """The catalogues in one language and one time zone. Whatever people typed passes through `typed` first."""

    texts: Texts
    language: str
    zone: str = "UTC"

    def say(self, key: str, /, **values: type_of_value) -> str:
        return self.texts.say(f"exports.{key}", self.language, **values)

    def count(self, key: str, n: int, /, **values: type_of_value) -> str:
        return self.texts.count(f"exports.{key}", self.language, n, **values)

    def named(self, family: str, code: str) -> str:
        """The catalogue's name for a code, or the code itself: a clinic's own instruments bring codes of their own."""
        key = f"exports.{family}.{code}"
        return self.texts.say(key, self.language) if self.texts.has(key, self.language) else self.typed(code)

    def typed(self, text: str) -> str:
        return printable(text)

    def number(self, value: float | None, digits: int = 1) -> str:
        if value is None:
            return NONE
        return _number(round(value, digits), "0." + "0" * digits if digits else "0", self.language)

    def dose(self, value: float) -> str:
        return _number(value, "0.##", self.language)

    def day(self, day: date) -> str:
        return self._date(day, "d MMM y" if self.language != "de" else "d. MMM y")

    def short_day(self, day: date) -> str:
        return self._date(day, "d MMM" if self.language != "de" else "d. MMM")

    def near_day(self, day: date, today: date) -> str:
        """Without the year where that is today's."""
        return self.short_day(day) if day.year == today.year else self.day(day)

    def _date(self, day: date, pattern: str) -> str:
        """Never broken at the end of a line."""
        return _date(day, pattern, self.language).replace(" ", NO_BREAK)

    def weekday(self, day: date) -> str:
        return self._date(day, "EEE d MMM" if self.language != "de" else "EEE d. MMM")

    def month(self, day: date) -> str:
        return _date(day, "LLL", self.language).rstrip(".")

    def month_of_year(self, day: date) -> str:
        return _month_of_year(day, self.language)

    def moment(self, moment: datetime) -> str:
        """Day and time in the voice's zone."""
        return f"{self.day(self.local(moment).date())}, {self.time(moment)}"

    def short_moment(self, moment: datetime) -> str:
        return f"{self.short_day(self.local(moment).date())}, {self.time(moment)}"

    def time(self, moment: datetime) -> str:
        local = self.local(moment)
        return f"{local.hour:02}:{local.minute:02}"

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.zone))

    def lasting(self, time: timedelta) -> str:
        """A duration in the largest unit that says it well: minutes, hours, days."""
        minutes = max(0, round(time.total_seconds() / 60))
        if minutes < 60:
            return self.say("lasting.minutes", n=minutes)
        if minutes < 60 * HOURS_WRITTEN_AS_DAYS:
            return self.say("lasting.hours", n=self.number(minutes / 60, 0 if minutes % 60 == 0 else 1))
        return self.say("lasting.days", n=round(minutes / 1440))


@lru_cache
def _locale(language: str) -> Locale:
    return Locale.parse({"en": "en_GB", "de": "de_DE", "es": "es_ES"}.get(language, language), sep="_")


@lru_cache(maxsize=4096)
def _date(day: date, pattern: str, language: str) -> str:
    return format_date(day, pattern, locale=_locale(language))


@lru_cache(maxsize=256)
def _month_of_year(day: date, language: str) -> str:
    return format_skeleton("yMMMM", day, locale=_locale(language))


@lru_cache(maxsize=1024)
def _number(value: float, pattern: str, language: str) -> str:
    return format_decimal(value, format=pattern, locale=_locale(language))


def iso(moment: datetime | None) -> str:
    """The moment in UTC, to the second, as in "2026-11-23T17:56:00Z"; empty when there is none."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
