"""What was stored under a version of an instrument is read with that version for good."""

from dataclasses import replace
from hashlib import sha256

from bot.clinical.instrument import Instrument
from bot.services.work import Work
from bot.settings import SettingsError

PREFIX = "instrument:"


def remember(work: Work) -> None:
    """Notes what each version says. Raises `SettingsError` when a known one has changed, or is gone."""
    known = work.stores.facts.starting_with(PREFIX)
    here = {f"{PREFIX}{code}@{version}": one for (code, version), one in work.knowledge.library.by_version.items()}
    for name, instrument in here.items():
        digest = known.get(name)
        if digest is None:
            work.stores.facts.set(name, _digest(instrument))
        elif digest != _digest(instrument):
            raise SettingsError(
                f"instrument {name.removeprefix(PREFIX)}",
                read="a file that changed since it was first used",
                expected="the old file as it was, and the change in a file with a higher version",
            )
    for name in known.keys() - here.keys():
        raise SettingsError(
            f"instrument {name.removeprefix(PREFIX)}",
            read="no file",
            expected="its file in the folder that `instruments` names: answers may be stored under this version",
        )


def _digest(instrument: Instrument) -> str:
    """Source and permission may be corrected; whatever a patient reads or a score rests on may not."""
    return sha256(repr(replace(instrument, source="", permission="")).encode()).hexdigest()
