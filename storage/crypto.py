"""Sealing: AES-256-GCM bound to table, column and row, under a key per subject that a master key wraps.

Erasing a subject's row in `keys` makes everything sealed for it unreadable, in every backup that has no copy of the
key. Layout of a sealed value: one format byte, 12 bytes nonce, ciphertext with 16 bytes tag.
"""

import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.errors import BadKeyFile, NoSuchMasterKey, WrongKey
from storage.files import write_whole

FORMAT = b"\x01"
NONCE_BYTES = 12
KEY_BYTES = 32


class MasterKeys:
    """The keys that wrap subject keys: the first one seals, all of them open."""

    def __init__(self, keys: dict[str, bytes], file: Path | None = None) -> None:
        self._file = file
        self._take(keys)

    def _take(self, keys: dict[str, bytes]) -> None:
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self.current = next(iter(keys))

    @classmethod
    def from_file(cls, path: Path) -> "MasterKeys":
        """Reads `<name> <64 hex digits>` per line; makes the file with one new key when it does not exist."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, _new_line())
        return cls(_read(path), path)

    def read_again(self) -> None:
        """The key file may have a new first line since; see `add_master`."""
        if self._file is not None:
            self._take(_read(self._file))

    def wrap(self, subject: str, key: bytes) -> tuple[str, bytes]:
        nonce = os.urandom(NONCE_BYTES)
        return self.current, nonce + self._ciphers[self.current].encrypt(nonce, key, subject.encode())

    def unwrap(self, subject: str, master: str, wrapped: bytes) -> bytes:
        if master not in self._ciphers:  # made while this process runs
            self.read_again()
        cipher = self._ciphers.get(master)
        if cipher is None:
            raise NoSuchMasterKey(master)
        try:
            return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], subject.encode())
        except InvalidTag:
            raise WrongKey("keys", "wrapped") from None


def add_master(path: Path) -> None:
    """Puts a new master key before the others; the file is replaced in one step. The old ones still open."""
    write_whole(path, _new_line() + path.read_text(encoding="ascii"))


def _new_line() -> str:
    return f"m{secrets.token_hex(3)} {secrets.token_hex(KEY_BYTES)}\n"


def _read(path: Path) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        if not line.strip():
            continue
        try:
            name, digits = line.split()
            key = bytes.fromhex(digits)
        except ValueError:
            raise BadKeyFile(str(path), f"line {number} is not readable") from None
        if len(key) != KEY_BYTES:
            raise BadKeyFile(str(path), f"line {number} holds {len(key)} bytes")
        keys[name] = key
    if not keys:
        raise BadKeyFile(str(path), "it is empty")
    return keys


class SubjectKeys(Protocol):
    """Where subject keys are kept; see storage.stores.keys."""

    def key_for(self, subject: str) -> bytes:
        """The key to seal with; made at first use."""
        ...

    def existing_key(self, subject: str) -> bytes:
        """The key to open with; raises `Erased` when it was destroyed."""
        ...


class Sealer:
    """Seals and opens the fields of one unit of work."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys

    def seal(self, subject: str, table: str, column: str, row: str, plain: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        cipher = AESGCM(self._keys.key_for(subject))
        return FORMAT + nonce + cipher.encrypt(nonce, plain.encode(), _binding(table, column, row))

    def open(self, subject: str, table: str, column: str, row: str, sealed: bytes) -> str:
        cipher = AESGCM(self._keys.existing_key(subject))
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, body, _binding(table, column, row)).decode()
        except InvalidTag:
            raise WrongKey(table, column) from None

    def index(self, subject: str, plain: str) -> str:
        """A keyed hash by which a sealed value can be found: equal for equal values, meaningless without the key."""
        return hmac.new(self._keys.key_for(subject), plain.encode(), sha256).hexdigest()


def _binding(table: str, column: str, row: str) -> bytes:
    return f"{table}\x1f{column}\x1f{row}".encode()
