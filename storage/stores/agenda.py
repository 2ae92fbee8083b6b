"""What is due now, asked in one statement: the look that a clinic without anything to do costs every half second."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from storage.tables.alerts import Alert
from storage.tables.diary import CheckIn, CheckInState
from storage.tables.people import Patient, PatientState
from storage.tables.post import Letter, LetterState
from storage.tables.roads import Dispatch, DispatchState

ASKED = (PatientState.ACTIVE, PatientState.DISCHARGED)


@dataclass(frozen=True, slots=True)
class Due:
    escalations: bool
    check_ins: bool
    pauses: bool
    plans: bool


ALL_DUE: tuple[ColumnElement[bool], ...] = (CheckIn.next_at <= bindparam("now"),)
DUE_BUT_EXPIRY = (
    *ALL_DUE,
    CheckIn.expires_at > bindparam("now"),
    or_(CheckIn.state != CheckInState.PROMPTED, CheckIn.reminded_at.is_(None)),
)
NEEDS_A_PLAN = (
    Patient.state.in_(ASKED),
    or_(Patient.planned_until.is_(None), Patient.planned_until < bindparam("plans_until")),
)


def _look(due_check_ins: tuple[ColumnElement[bool], ...]) -> Select[bool, bool, bool, bool]:
    return select(
        exists().where(Alert.next_step_at <= bindparam("latest")),
        exists().where(*due_check_ins),
        exists().where(Patient.state_until <= bindparam("now")),
        exists().where(*NEEDS_A_PLAN),
    )


LOOK, LOOK_BUT_EXPIRY = _look(ALL_DUE), _look(DUE_BUT_EXPIRY)


class Agenda:
    def __init__(self, session: Session) -> None:
        self._session = session

    def look(self, now: datetime, latest: datetime, plans_until: date, *, may_expire: bool) -> Due:
        """`latest` counts for escalations, `now` for everything else (see bot.delivery.drift).

        Without `may_expire`, what would count an answer as missing is not due.
        """
        moments = {"now": now, "latest": latest, "plans_until": plans_until}
        row = self._session.execute(LOOK if may_expire else LOOK_BUT_EXPIRY, moments).one()
        return Due(*(bool(found) for found in row))

    def send_now(self, wall: datetime) -> None:
        """What was just written by a clock that is ahead of the wall goes now, not when the wall gets there."""
        for table, waiting in ((Letter, LetterState.WAITING), (Dispatch, DispatchState.WAITING)):
            self._session.flush()
            self._session.execute(
                update(table)
                .where(table.state == waiting, table.attempts == 0, table.due_at > wall)
                .values(due_at=wall)
                .execution_options(synchronize_session=False)
            )
