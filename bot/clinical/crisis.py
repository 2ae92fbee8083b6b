"""Crisis lines by country: a reviewed table, with its source and the day it was checked."""

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources

FALLBACK = "INT"
OUTDATED_AFTER = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    number: str  # as dialled; a text line has its word in it


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    emergency: str
    lines: tuple[Line, ...]
    source: str
    checked_on: date


@dataclass(frozen=True, slots=True)
class CrisisLines:
    countries: dict[str, Country]

    @classmethod
    def load(cls) -> "CrisisLines":
        data = tomllib.loads(resources.files("bot.clinical").joinpath("crisis_lines.toml").read_text(encoding="utf-8"))
        return cls(
            {
                code: Country(
                    code, entry["emergency"], tuple(Line(**line) for line in entry["lines"]), entry["source"],
                    entry["checked_on"],
                )
                for code, entry in data.items()
            }
        )  # fmt: skip

    def for_country(self, code: str) -> Country:
        """The country where the person is now; 112 where there is no entry."""
        return self.countries.get(code.upper(), self.countries[FALLBACK])

    def outdated(self, today: date) -> list[str]:
        return [code for code, country in self.countries.items() if today - country.checked_on > OUTDATED_AFTER]
