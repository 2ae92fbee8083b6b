"""Settings: secrets and addresses from the environment or `.env`, the clinic's own choices from `clinic.toml`."""

import re
import tomllib
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """One sentence that names the key, what was read and what is expected. Secrets are never repeated."""

    def __init__(self, key: str, *, read: str, expected: str) -> None:
        super().__init__(f"{key}: read {read}, expected {expected}.")


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("expected an IANA time zone such as Europe/Berlin")
    return name


Zone = Annotated[str, AfterValidator(_zone)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ladder(Strict):
    """Escalation times of one level, in seconds from the moment the clock of an alert starts (docs/clinical.md)."""

    repeat: int = Field(gt=0)
    next_person: int = Field(gt=0)
    second_road: int = Field(gt=0)
    second_road_unsent: int = Field(gt=0)  # the same, when Telegram has not taken the page
    everybody: int = Field(gt=0)
    repeat_at_last: int = Field(gt=0)  # once everybody is paged, for ever
    contact_within: int = Field(gt=0)  # after taking
    close_within: int = Field(gt=0)  # after contact


MINUTE, HOUR = 60, 3600


class Escalation(Strict):
    red: Ladder = Ladder(
        repeat=2 * MINUTE,
        next_person=5 * MINUTE,
        second_road=5 * MINUTE,
        second_road_unsent=MINUTE,
        everybody=15 * MINUTE,
        repeat_at_last=2 * MINUTE,
        contact_within=15 * MINUTE,
        close_within=30 * MINUTE,
    )
    orange: Ladder = Ladder(
        repeat=30 * MINUTE,
        next_person=60 * MINUTE,
        second_road=2 * HOUR,
        second_road_unsent=5 * MINUTE,
        everybody=3 * HOUR,
        repeat_at_last=HOUR,
        contact_within=2 * HOUR,
        close_within=4 * HOUR,
    )


class WorkingHours(Strict):
    days: tuple[int, ...] = (0, 1, 2, 3, 4)  # 0 Monday
    opens: time = time(8, 0)
    closes: time = time(18, 0)


class Keeping(Strict):
    """When copies are made, and how long things are kept; days."""

    backup_at: time = time(3, 30)  # every night, the clinic's zone
    backups: int = Field(default=90, ge=1)
    key_backups: int = Field(default=14, ge=1)  # an erased patient has left every backup after this time
    raw_updates: int = Field(default=14, ge=2)  # Telegram repeats updates for a day, so never less than two
    sent_texts: int = Field(default=0, ge=0)  # the words of messages that were sent; 0: as long as the diary


class Clinic(Strict):
    """What a clinic decides; `clinic.toml` holds it, and every value has a default but the phone line."""

    name: str = "The clinic"
    phone: str = ""  # the clinic's own line; required on the real Telegram
    country: str = Field(default="US", pattern=r"^[A-Z]{2}$")
    zone: Zone = "UTC"
    language: Literal["en", "de", "es"] = "en"
    round_the_clock: bool = False
    working_hours: WorkingHours = WorkingHours()
    digest_at: time = time(8, 0)
    protocol: str = "ketamine-iv"
    escalation: Escalation = Escalation()
    keeping: Keeping = Keeping()
    limits: dict[str, float] = Field(default_factory=dict)  # alert rules; docs/alert-rules.md names them
    instruments: Path | None = None  # a folder with the clinic's own instruments
    protocols: Path | None = None  # a folder with the clinic's own protocols

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Raises `SettingsError` with the first thing that is wrong."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise SettingsError("CLINIC_FILE", read=str(path), expected=f"a readable file ({error.strerror})") from None
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise SettingsError("CLINIC_FILE", read=str(path), expected=f"valid TOML: {error}") from None
        except ValidationError as error:
            raise _first(error, prefix=f"{path.name} ") from None


@dataclass(frozen=True, slots=True, repr=False)
class Roads:
    """The operator's apprise URLs. They hold passwords, so they have no printed form."""

    operator: tuple[str, ...] = ()
    mail: str | None = None  # with {address} where a person's own belongs
    sms: str | None = None


class Settings(BaseSettings):
    """What an operator sets. Every name is an environment variable of the same name, or a line in `.env`."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    telegram_token: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"
    data_dir: Path = Path("data")
    database_url: SecretStr | None = None
    master_key_file: Path | None = None
    backup_dir: Path | None = None
    backup_keys_dir: Path | None = None
    backup_stream_dir: Path | None = None
    clinic_file: Path = Path("clinic.toml")
    webhook_url: str | None = None
    webhook_secret: SecretStr | None = None
    heartbeat_url: str | None = None
    operator_channels: SecretStr | None = None  # apprise URLs, separated by blanks
    second_road_mail: SecretStr | None = None  # an apprise URL with {address}
    second_road_sms: SecretStr | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator(
        "telegram_token",
        "database_url",
        "webhook_secret",
        "webhook_url",
        "heartbeat_url",
        "operator_channels",
        "second_road_mail",
        "second_road_sms",
        "backup_dir",
        "backup_keys_dir",
        "backup_stream_dir",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("telegram_token")
    @classmethod
    def _looks_like_a_token(cls, token: SecretStr | None) -> SecretStr | None:
        number, colon, secret = (token.get_secret_value() if token else "0:x").partition(":")
        if not (number.isdigit() and colon and secret):
            raise ValueError("expected the token that BotFather gave you, like 123456:ABC-DEF")
        return token

    @field_validator("webhook_secret")
    @classmethod
    def _fits_a_header(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", secret.get_secret_value()):
            raise ValueError("expected 16 to 256 letters, digits, _ or -")
        return secret

    @field_validator("second_road_mail", "second_road_sms")
    @classmethod
    def _has_room_for_an_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and "{address}" not in url.get_secret_value():
            raise ValueError("expected an apprise URL with {address} where the address of a person belongs")
        return url

    @classmethod
    def read(cls, **overrides: Any) -> Self:
        """Raises `SettingsError` with the first thing that is wrong."""
        try:
            return cls(**overrides)
        except ValidationError as error:
            raise _first(error) from None

    @property
    def health_file(self) -> Path:
        """Touched every minute while all is well; a container's health check looks at its age."""
        return self.data_dir / "health"

    @property
    def key_file(self) -> Path:
        return self.master_key_file or self.data_dir / "keys" / "master.keys"

    @property
    def roads(self) -> Roads:
        def revealed(url: SecretStr | None) -> str | None:
            return url.get_secret_value() if url else None

        operator = tuple((revealed(self.operator_channels) or "").split())
        return Roads(operator, revealed(self.second_road_mail), revealed(self.second_road_sms))

    @property
    def database(self) -> str:
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'afterglow.sqlite'}"

    @property
    def backups(self) -> Path:
        return self.backup_dir or self.data_dir / "backups"

    @property
    def key_backups(self) -> Path:
        return self.backup_keys_dir or self.data_dir / "backup-keys"


SECRETS = {
    "telegram_token", "database_url", "webhook_secret", "operator_channels", "second_road_mail", "second_road_sms",
}  # fmt: skip


def _first(error: ValidationError, prefix: str = "") -> SettingsError:
    problem = error.errors()[0]
    path = ".".join(str(part) for part in problem["loc"])
    key = path if prefix else path.upper()
    read = "a value that is kept secret" if path in SECRETS else repr(problem.get("input"))
    expected = problem["msg"].removeprefix("Value error, expected ")
    return SettingsError(f"{prefix}{key}", read=read, expected=expected[:1].lower() + expected[1:])
