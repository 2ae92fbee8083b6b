"""The instruments and protocols that are shipped, and those of the clinic."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from bot.clinical import instrument, protocol
from bot.clinical.instrument import Instrument, InstrumentError
from bot.clinical.protocol import Protocol, ProtocolError


class Unknown(LookupError):
    def __init__(self, what: str, code: str, known: list[str]) -> None:
        super().__init__(f"there is no {what} {code!r}; there are {', '.join(known)}")


@dataclass(frozen=True)
class Library:
    """Old versions stay: what was stored under one is read with it."""

    by_version: dict[tuple[str, str], Instrument]
    protocols: dict[str, Protocol]

    @classmethod
    def load(cls, clinic_folder: Path | None = None, protocol_folder: Path | None = None) -> "Library":
        """The shipped data and, after it, the TOML files of the clinic's own folders.

        Raises `InstrumentError` or `ProtocolError` for the first thing that is wrong.
        """
        texts = [
            (file.name, file.read_text(encoding="utf-8"))
            for file in sorted(resources.files("bot.clinical").joinpath("instruments").iterdir(), key=lambda f: f.name)
            if file.name.endswith(".toml")
        ]
        if clinic_folder is not None:
            texts += [(str(file), file.read_text(encoding="utf-8")) for file in sorted(clinic_folder.glob("*.toml"))]
        known: dict[tuple[str, str], Instrument] = {}
        for name, text in texts:
            one = instrument.read(text, name)
            if known.setdefault((one.code, one.version), one) is not one:
                raise InstrumentError(name, "version", one.version, f"a version of {one.code} that no other file has")
        library = cls(known, protocol.load(protocol_folder))
        library.check_protocols()
        return library

    def check_protocols(self) -> None:
        """Every part that a protocol asks must exist. Raises `ProtocolError`."""
        for code, one in self.protocols.items():
            for part in one.parts():
                found = self.by_version.get((part.instrument, part.version))
                known = {item.code for item in found.items} if found else set()
                if found is None or not set(part.items) <= known:
                    raise ProtocolError(code, "parts", part.encode(), "an instrument, a version and items that exist")

    def instrument(self, code: str, version: str | None = None) -> Instrument:
        """The newest version unless one is named."""
        if version is None:
            versions = [known for known in self.by_version if known[0] == code]
            version = max(versions, key=lambda known: int(known[1]))[1] if versions else ""
        found = self.by_version.get((code, version))
        if found is None:
            raise Unknown("instrument", f"{code}@{version}", sorted({known for known, _ in self.by_version}))
        return found

    def protocol(self, code: str) -> Protocol:
        if code not in self.protocols:
            raise Unknown("protocol", code, sorted(self.protocols))
        return self.protocols[code]
