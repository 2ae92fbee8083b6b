"""A crowd of patients: enrolled in bulk, each with one open or due check-in, and their answers as taps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from bot.chat.callbacks import AnswerTap
from bot.clinical.protocol import Part
from bot.desk import Desk
from bot.services import check_ins
from bot.services.work import Work
from storage.tables.diary import CheckIn, CheckInState
from storage.tables.people import PatientState, Role

FIRST = 1_000_000  # Telegram's number of the first patient
ADMIN, NURSE, PHYSICIAN = 1001, 1002, 1003
BATCH = 500
CODE = "L"  # every patient code begins with it
ITEMS = ("mood", "interest", "sleep", "urge")
PLANNED_FAR_AHEAD = date(2999, 1, 1)  # the crowd's check-ins are made here, not by the protocol


@dataclass(frozen=True, slots=True)
class Member:
    number: int
    patient: UUID
    check_in: UUID

    def answers(self, item: str, value: int) -> tuple[int, str]:
        """A tap, as (person, data)."""
        return self.number, AnswerTap(self.check_in, "daily", item, value).encode()

    @property
    def code(self) -> str:
        return code_of(self.number)


def code_of(number: int) -> str:
    return f"{CODE}-{number}"


def employ(desk: Desk) -> None:
    """An administrator, a nurse who is on call, and a physician after her."""
    desk.act_now(_employ)


def _employ(work: Work) -> None:
    roles = ((ADMIN, Role.ADMIN), (NURSE, Role.NURSE), (PHYSICIAN, Role.PHYSICIAN))
    staff = [_staff(work, number, role) for number, role in roles]
    work.stores.rota.set(staff[1:])


def _staff(work: Work, number: int, role: Role) -> UUID:
    chat = work.stores.chats.meet(number, is_group=False)
    return work.stores.people.add(role=role, chat=chat, name=role, language="en").id


def _person_of(work: Work, number: int) -> UUID:
    person = work.stores.people.in_chat(work.stores.chats.meet(number, is_group=False))
    assert person is not None
    return person.id


def hire(desk: Desk, count: int) -> list[int]:
    """Further nurses, none of them on call; gives their Telegram numbers."""
    numbers = list(range(PHYSICIAN + 1, PHYSICIAN + 1 + count))
    desk.act_now(lambda work: [_staff(work, number, Role.NURSE) for number in numbers])
    return numbers


def put_on_call(desk: Desk, number: int) -> None:
    """This nurse alone from now on."""
    desk.act_now(lambda work: work.stores.rota.set([_person_of(work, number)]))


def is_staff(number: int) -> bool:
    return number < FIRST


def enrol(desk: Desk, count: int, *, due_at: datetime | None = None, first: int = FIRST) -> list[Member]:
    """Patients with a check-in that waits for answers; with `due_at`, one that is prompted then."""
    members: list[Member] = []
    for start in range(first, first + count, BATCH):
        numbers = range(start, min(start + BATCH, first + count))
        members += desk.act_now(_enrol, numbers, due_at)
    return members


def _enrol(work: Work, numbers: range, due_at: datetime | None) -> list[Member]:
    return [_join(work, number, due_at) for number in numbers]


def _join(work: Work, number: int, due_at: datetime | None) -> Member:
    patient = work.stores.patients.add(
        code=code_of(number), zone="UTC", hour=16 * 60, country="US", protocol=work.clinic.protocol
    )
    patient.state, patient.enrolled_on, patient.planned_until = PatientState.ACTIVE, work.now.date(), PLANNED_FAR_AHEAD
    patient.consent_version, patient.consented_at = "1", work.now
    chat = work.stores.chats.meet(number, is_group=False)
    work.stores.people.add(role=Role.PATIENT, chat=chat, name=f"Person {number}", language="en", person_id=patient.id)
    return Member(number, patient.id, _check_in(work, patient.id, due_at, work.now.date()))


def next_day(desk: Desk, members: list[Member], day: date) -> list[Member]:
    """The same people with another check-in that waits for answers, under that diary day."""
    return desk.act_now(lambda work: [replace(m, check_in=_check_in(work, m.patient, None, day)) for m in members])


def _check_in(work: Work, patient: UUID, due_at: datetime | None, day: date) -> UUID:
    version = work.knowledge.library.instrument("daily").version
    expires_at = (due_at or work.now) + timedelta(hours=12)
    check_in = CheckIn(
        id=uuid4(), patient_id=patient, day=day, slot="daily",
        parts=check_ins.encode_parts([Part("daily", version)]), infusion_number=None, day_number=None,
        state=CheckInState.PLANNED if due_at else CheckInState.PROMPTED, due_at=due_at or work.now, remind_at=None,
        expires_at=expires_at, next_at=due_at or expires_at, prompted_at=None if due_at else work.now,
        delivered_at=None if due_at else work.now, shown_at=None, reminded_at=None, finished_at=None,
    )  # fmt: skip
    work.stores.check_ins.add(check_in)
    return check_in.id


def good_days(members: list[Member]) -> Iterator[list[tuple[int, str]]]:
    """Waves of taps: everybody answers the first question, then everybody the second, …; nobody is in danger."""
    for place, item in enumerate(ITEMS):
        yield [member.answers(item, 0 if item == "urge" else (index + place) % 10) for index, member in
               enumerate(members)]  # fmt: skip


def strangers(count: int) -> list[Member]:
    """The same people for a bot that knows nobody."""
    return [Member(number, uuid4(), uuid4()) for number in range(FIRST, FIRST + count)]


def count(desk: Desk, table: str, where: str = "1 = 1") -> int:
    with desk.database.engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table} WHERE {where}").scalar_one())
