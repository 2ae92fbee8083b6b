"""Everything the product says to people: gettext catalogues, one folder per language, one file per room.

No build step: the .po files are read at start. A key missing in a language is answered in English; the tests do not
let that happen in the shipped ones.
"""

from collections.abc import Iterator
from functools import lru_cache
from importlib import resources

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.plural import PluralRule

LANGUAGES = ("en", "de", "es")
DEFAULT_LANGUAGE = "en"

type_of_value = str | int | float


class Texts:
    """Sentences by key and language. Keys look like "check_in.done"; placeholders are named, as in "{name}"."""

    def __init__(self, catalogues: dict[str, dict[str, tuple[str, ...]]], plurals: dict[str, PluralRule]) -> None:
        self._catalogues = catalogues
        self._plurals = plurals

    def say(self, key: str, language: str, /, **values: type_of_value) -> str:
        """The sentence for `key`, decimals as its language writes them; KeyError with a key that no catalogue has."""
        return self._forms(key, language)[0].format(**self._written(values, language))

    def count(self, key: str, language: str, n: int, /, **values: type_of_value) -> str:
        """The plural form for `n`, which is also available as the placeholder {n}."""
        forms = self._forms(key, language)
        index = 0 if self._plurals[self._known(language)](n) == "one" else 1
        return forms[min(index, len(forms) - 1)].format(n=n, **self._written(values, language))

    def has(self, key: str, language: str = DEFAULT_LANGUAGE) -> bool:
        return key in self._catalogues[self._known(language)]

    def keys(self, language: str) -> Iterator[str]:
        return iter(self._catalogues[language])

    def _written(self, values: dict[str, type_of_value], language: str) -> dict[str, type_of_value]:
        locale = self._known(language)
        return {
            name: format_decimal(value, format="0.##", locale=locale) if isinstance(value, float) else value
            for name, value in values.items()
        }

    def _known(self, language: str) -> str:
        return language if language in self._catalogues else DEFAULT_LANGUAGE

    def _forms(self, key: str, language: str) -> tuple[str, ...]:
        return self._catalogues[self._known(language)].get(key) or self._catalogues[DEFAULT_LANGUAGE][key]


@lru_cache
def load() -> Texts:
    """The shipped catalogues."""
    catalogues: dict[str, dict[str, tuple[str, ...]]] = {}
    plurals: dict[str, PluralRule] = {}
    for language in LANGUAGES:
        entries: dict[str, tuple[str, ...]] = {}
        for file in sorted(resources.files(__name__).joinpath(language).iterdir(), key=lambda f: f.name):
            if file.name.endswith(".po"):
                with file.open("rb") as lines:
                    entries |= _entries(read_po(lines, locale=language))
        catalogues[language] = entries
        plurals[language] = PluralRule({"one": "n is 1"})
    return Texts(catalogues, plurals)


def _entries(catalogue: Catalog) -> dict[str, tuple[str, ...]]:
    entries: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        if not message.id:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        if forms and all(forms):
            entries[key] = forms
    return entries
