"""From what people call a place to its time zone. Offline: nobody is told where a patient is."""

import difflib
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib import resources
from zoneinfo import available_timezones

from babel import Locale

from bot.services.errors import UnknownZone
from bot.texts import LANGUAGES

ELSEWHERE = "~"  # a name that means a larger city in another country, unless that country is the reader's
ALIKE = 0.8  # how close a misspelt name must be
SHORTEST, LONGEST = 3, 40


def zone_named(text: str, country: str = "", *, forgiving: bool = True) -> str:
    """The IANA zone of a city or of a zone's own name; a small misspelling may be forgiven. Raises `UnknownZone`.

    Of two cities with one name, the one in `country` is meant, else the larger one.
    """
    wanted = _plain(text.partition(",")[0])
    if not SHORTEST <= len(wanted) <= LONGEST:
        raise UnknownZone
    zones, cities = _zones(), _cities()
    at_home, anywhere = cities.get(country, {}), cities[""]
    known: tuple[Callable[[], str | None], ...] = (
        lambda: zones.get(_plain(text)),
        lambda: at_home.get(wanted),
        lambda: anywhere.get(wanted),
        lambda: _alike(wanted, zones) if forgiving else None,
        lambda: _alike(wanted, at_home) if forgiving else None,
    )
    found = next((zone for look in known if (zone := look())), None)
    if found is None:
        raise UnknownZone
    return found


def _alike(wanted: str, names: dict[str, str]) -> str | None:
    return next((names[name] for name in difflib.get_close_matches(wanted, names, n=1, cutoff=ALIKE)), None)


@cache
def _zones() -> dict[str, str]:
    """Zones by their own names and by the cities they are named after, in each language that we speak."""
    names = {_plain(zone): zone for zone in available_timezones()}
    for language in LANGUAGES:
        for zone, known in Locale.parse(language).time_zones.items():
            for city in (known.get("city"), zone, zone.rpartition("/")[2]):
                if city:
                    names[_plain(city)] = zone
    return names


@cache
def _cities() -> dict[str, dict[str, str]]:
    """Cities of 15,000 people and more by country; "" holds the largest of each name (cities.txt, from GeoNames)."""
    cities: dict[str, dict[str, str]] = {"": {}}
    lines = resources.files("bot.services").joinpath("cities.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        country, zone, names = line.split(" ", 2)
        for name in names.split("|"):
            plain = name.removeprefix(ELSEWHERE)
            cities.setdefault(country, {})[plain] = zone
            if plain == name:
                cities[""][plain] = zone
    return cities


def _plain(text: str) -> str:
    """Small letters without accents or signs: «São Paulo», "sao paulo" and "Sao-Paulo" are one."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.sub(r"[^a-z0-9]+", " ", "".join(x for x in letters if not unicodedata.combining(x))).split())
