"""Diaries as rows of a database, for what is measured with the real command."""

import json
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import insert

from bot.clinical.diary import CheckIn, Diary
from bot.clinical.terms import Outcome
from bot.services.work import Work
from storage.stores.sql import rows_of
from storage.tables.diary import CheckIn as CheckInRow
from storage.tables.diary import CheckInState
from storage.tables.diary import Response as ResponseRow
from storage.tables.people import PatientState, Role
from tests.support import diaries
from tests.support.bot_process import open_desk

STATES = {
    Outcome.ANSWERED: CheckInState.FINISHED, Outcome.MISSED: CheckInState.EXPIRED,
    Outcome.UNDELIVERED: CheckInState.EXPIRED,
}  # fmt: skip


def fill(folder: Path, patients: int) -> None:
    """A database of patients with a year of daily answers each."""
    desk = open_desk(folder)
    try:
        for number in range(1, patients + 1):
            desk.act_now(keep, diaries.one_year(number), number)
    finally:
        desk.close()


def keep(work: Work, diary: Diary, number: int) -> None:
    """A patient with the diary's infusions, check-ins and answers; alerts, notes and events are left out."""
    patient = work.stores.patients.add(
        code=diary.patient, zone=diary.zone, hour=16 * 60, country="DE", protocol=work.clinic.protocol
    )
    patient.state, patient.enrolled_on = PatientState.ACTIVE, diary.enrolled_on
    chat = work.stores.chats.meet(10_000_000 + number, is_group=False)
    work.stores.people.add(role=Role.PATIENT, chat=chat, name="", language=diary.language, person_id=patient.id)
    for given in diary.infusions:
        details = {"dose": given.dose_mg_per_kg, "systolic": given.systolic, "diastolic": given.diastolic}
        work.stores.infusions.add(
            patient_id=patient.id, phase=given.phase, at=given.given_at, day=given.day, recorded_by=patient.id,
            details={name: float(value) for name, value in details.items() if value is not None},
        )  # fmt: skip
    ids = {check_in.ref: uuid4() for check_in in diary.check_ins}
    session = work.stores.responses._session
    session.execute(
        insert(rows_of(CheckInRow)),
        [_check_in(check_in, ids[check_in.ref], patient.id) for check_in in diary.check_ins],
    )
    session.execute(insert(rows_of(ResponseRow)), list(_answers(work, diary, ids, patient.id)))


def _check_in(check_in: CheckIn, own_id: UUID, patient: UUID) -> dict[str, object]:
    return {
        "id": own_id, "patient_id": patient, "day": check_in.day, "slot": check_in.slot, "parts": "[]",
        "infusion_number": None, "day_number": None, "state": STATES[check_in.outcome], "due_at": check_in.due_at,
        "remind_at": None, "expires_at": check_in.due_at, "next_at": None, "prompted_at": check_in.prompted_at,
        "delivered_at": check_in.prompted_at, "shown_at": check_in.shown_at, "reminded_at": None,
        "finished_at": check_in.finished_at, "version": 1,
    }  # fmt: skip


def _answers(work: Work, diary: Diary, ids: dict[str, UUID], patient: UUID) -> list[dict[str, object]]:
    rows = []
    for check_in in diary.check_ins:
        for place, answer in enumerate(check_in.responses):
            own_id = uuid4()
            sealed = work.stores.responses._sealer.seal(
                str(patient), "responses", "value", str(own_id), json.dumps(answer.value)
            )
            rows.append({
                "id": own_id, "check_in_id": ids[check_in.ref], "patient_id": patient, "instrument": answer.instrument,
                "version": answer.version, "item": answer.item, "sealed_value": sealed, "revision": answer.revision,
                "mode": answer.mode, "answered_at": answer.answered_at, "source": place,
            })  # fmt: skip
    return rows
