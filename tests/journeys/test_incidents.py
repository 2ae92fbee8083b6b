"""Something is wrong with the house itself: those who can repair it are told once, and hear when it is over."""

from uuid import uuid4

from bot.services import incidents
from bot.services.incidents import IncidentKind
from storage.tables.people import Role
from tests.support.clinic import SimulatedClinic


async def test_an_incident_is_told_once_and_its_message_says_when_it_is_over(clinic: SimulatedClinic) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await clinic.desk.act(incidents.open, IncidentKind.DISK)
    await clinic.desk.act(incidents.open, IncidentKind.DISK)
    await clinic.afterglow.settle()
    assert (await clinic.admin.all_texts()).count("The disk is almost full") == 1
    assert "disk" not in await clinic.nurse.all_texts()

    await clinic.admin.says("/incidents")
    assert "Since" in await clinic.admin.last()
    await clinic.desk.act(incidents.close, IncidentKind.DISK)
    await clinic.afterglow.settle()
    assert "Over since" in await clinic.admin.all_texts()
    await clinic.admin.says("/incidents")
    assert "Nothing is wrong" in await clinic.admin.last()
    assert "The disk is almost full" in await clinic.admin.last()  # what is over is still listed

    await clinic.desk.act(incidents.open, IncidentKind.DISK)
    await clinic.afterglow.settle()
    assert "Over since" not in await clinic.admin.last()  # a new one is a new message


async def test_without_an_administrator_everybody_on_staff_is_told(clinic: SimulatedClinic) -> None:
    await clinic.desk.act(incidents.open, IncidentKind.BACKUP)
    await clinic.afterglow.settle()
    assert "backup" in await clinic.nurse.last()
    assert "backup" in await clinic.physician.last()
    await clinic.nurse.says("/incidents")
    assert "not for this account" in await clinic.nurse.last()


async def test_only_keeps_open_what_is_still_wrong(clinic: SimulatedClinic) -> None:
    first, second = str(uuid4()), str(uuid4())

    def open_details() -> list[str]:
        return clinic.desk.act_now(lambda work: [shown.detail for shown in incidents.all_open(work)])

    await clinic.desk.act(incidents.only, IncidentKind.STAGE, {first, second})
    assert sorted(open_details()) == sorted([first, second])
    await clinic.desk.act(incidents.only, IncidentKind.STAGE, {second})
    assert open_details() == [second]
    await clinic.desk.act(incidents.only, IncidentKind.STAGE, set())
    assert open_details() == []
