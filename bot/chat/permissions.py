"""Who may call a handler. Every handler declares one rule; it is checked inside the transaction of its use case."""

from enum import Enum

from bot.services.errors import NotForYou
from bot.services.work import Work

STAFF_ROLES = ("admin", "nurse", "physician")


class Allow(Enum):
    ANYBODY = "anybody"
    PATIENT = "patient"
    STAFF = "staff"
    PHYSICIAN = "physician"
    ADMIN = "admin"


def require(work: Work, rule: Allow) -> None:
    """Raises `NotForYou`, the same whether the caller is unknown or has another role."""
    role = work.caller.person.role.value if work.caller.person else None
    allowed = {
        Allow.ANYBODY: True,
        Allow.PATIENT: role == "patient",
        Allow.STAFF: role in STAFF_ROLES,
        Allow.PHYSICIAN: role == "physician",
        Allow.ADMIN: role == "admin",
    }
    if not allowed[rule]:
        raise NotForYou
