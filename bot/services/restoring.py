"""After a restore: what was promised meanwhile goes on, and what may be lost is said to those who can ask for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.services import check_ins, incidents, letters
from bot.services.incidents import IncidentKind
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.diary import CheckIn, CheckInState

RESTORED_AT, RESTORED_FROM = "restored.at", "restored.from"
SAID_FOR = timedelta(days=1)
MOMENT = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class OpenAlert:
    code: str
    level: str
    state: str
    next_step_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stock:
    """What the restored database holds that is due, as an operator may see it: codes and numbers."""

    lost_from: datetime  # answers that Telegram had handed over between these two are gone
    lost_until: datetime
    alerts: tuple[OpenAlert, ...]
    asked_again: int
    given_up: int  # check-ins that fell due and expired meanwhile; nobody is called silent for them
    letters: int
    updates: int


def take_stock(work: Work, made_at: datetime) -> Stock:
    """Notes the restore, asks again what was open or due in the gap, and tells the administrators of it."""
    work.stores.facts.set(RESTORED_AT, work.now.isoformat())
    work.stores.facts.set(RESTORED_FROM, made_at.isoformat())
    work.stores.audit.record("database.restored", actor=None, detail=made_at.isoformat())
    asked, given_up = _go_on_asking(work)
    gap = f"{made_at:{MOMENT}} – {work.now:{MOMENT}} UTC"
    incidents.open(work, IncidentKind.RESTORED, gap)
    return Stock(
        lost_from=made_at, lost_until=work.now,
        alerts=tuple(
            OpenAlert(alert.code, alert.level, alert.state.value, alert.next_step_at)
            for alert in work.stores.alerts.all_open()
        ),
        asked_again=asked, given_up=given_up, letters=work.stores.outbox.count_waiting(),
        updates=work.stores.inbox.count_waiting(),
    )  # fmt: skip


def _go_on_asking(work: Work) -> tuple[int, int]:
    """What may have been answered in the gap is asked again; what has expired in it is nobody's silence."""
    asked = given_up = 0
    for check_in in work.stores.check_ins.all_due(work.now):
        if work.now >= check_in.expires_at:
            answered = bool(work.stores.responses.to(check_in.id))
            check_in.state = CheckInState.EXPIRED if answered else CheckInState.CANCELLED
            check_in.next_at = None
            given_up += 1
        else:
            _ask_again(work, check_in)
            asked += 1
    return asked, given_up


def _ask_again(work: Work, check_in: CheckIn) -> None:
    if check_in.state == CheckInState.STARTED:
        patient = work.stores.patients.get(check_in.patient_id)
        letters.to_patient(
            work, patient, "check_in.card", Urgency.PROMPT, subject=check_in.id, card=check_ins.card_of(check_in.id),
            expires_at=check_in.expires_at,
        )  # fmt: skip
        return
    check_in.state, check_in.prompted_at, check_in.reminded_at = CheckInState.PLANNED, None, None
    check_in.next_at = work.now


def end_of_notice(work: Work) -> None:
    """A day after a restore everybody who had to know has been told."""
    restored_at = work.stores.facts.read(RESTORED_AT)
    if restored_at is not None and work.now - datetime.fromisoformat(restored_at) > SAID_FOR:
        incidents.close(work, IncidentKind.RESTORED)
