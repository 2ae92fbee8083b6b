"""What is due now, asked in one statement: the look that a clinic without anything to do costs every half second."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, exists, or_, select, update
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


class Agenda:
    def __init__(self, session: Session) -> None:
        self._session = session

    def look(self, now: datetime, latest: datetime, plans_until: date, *, may_expire: bool) -> Due:
        """`latest` counts for escalations, `now` for everything else (see bot.delivery.drift)."""
        row = self._session.execute(
            select(
                exists().where(Alert.next_step_at <= latest),
                exists().where(*due_check_ins(now, may_expire=may_expire)),
                exists().where(Patient.state_until <= now),
                exists().where(*in_need_of_a_plan(plans_until)),
            )
        ).one()
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


def due_check_ins(now: datetime, *, may_expire: bool) -> tuple[ColumnElement[bool], ...]:
    """`may_expire` False leaves out whatever would count an answer as missing."""
    due: tuple[ColumnElement[bool], ...] = (CheckIn.next_at <= now,)
    if may_expire:
        return due
    asked = or_(CheckIn.state != CheckInState.PROMPTED, CheckIn.reminded_at.is_(None))
    return (*due, CheckIn.expires_at > now, asked)


def in_need_of_a_plan(until: date) -> tuple[ColumnElement[bool], ...]:
    return (Patient.state.in_(ASKED), or_(Patient.planned_until.is_(None), Patient.planned_until < until))
