"""The second road: channels beside Telegram that say nothing but that the bot should be opened."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import app
from bot.chat.callbacks import Tap
from bot.delivery.channels import Channels
from bot.services import dispatching, incidents, roads
from bot.services.incidents import IncidentKind
from bot.services.work import Work
from bot.settings import Settings, SettingsError
from bot.simulator.clock import SimulatorClock
from storage.tables.people import Role
from storage.tables.roads import DispatchState
from tests.support import load
from tests.support.bot_process import CLINIC, bot_process, open_desk, settings
from tests.support.clinic import SimulatedClinic, opened
from tests.support.road import Road

URGENT = "Afterglow: An urgent alert is waiting. Open the bot."
NOWHERE = "http://127.0.0.1:9"  # no Telegram at all
NOT_TAKEN = ["sendmessage", "editmessagetext"]


@pytest.fixture
async def road() -> AsyncIterator[Road]:
    async with Road.opened() as receiver:
        yield receiver


async def adds_channel(clinic: SimulatedClinic, road: Road) -> None:
    await clinic.nurse.says("/oncall")
    await clinic.nurse.taps("My second road", "Add a channel")
    await clinic.nurse.says(road.address)


async def reports_danger(clinic: SimulatedClinic) -> None:
    await clinic.ana.says("I've got the pills ready")


def states(work: Work) -> list[DispatchState]:
    return [row.state for row in work.stores.roads.about(work.stores.alerts.all_open()[0].id)]


async def test_a_channel_is_set_in_the_chat_tested_and_removed(clinic: SimulatedClinic, road: Road) -> None:
    await adds_channel(clinic, road)
    assert len(road.said) == 1 and "test" in road.said[0]
    assert "took the test" in await clinic.nurse.last()
    assert road.address not in await clinic.nurse.all_texts()  # an address holds a password: only its kind is shown
    await clinic.nurse.taps("Send me a test")
    assert len(road.said) == 2
    road.is_broken = True
    await clinic.nurse.taps("Send me a test")
    assert "did not take the test" in await clinic.nurse.last()
    await clinic.nurse.taps("Remove json://…")
    assert "can only be reached in Telegram" in await clinic.nurse.all_texts()
    kept = b"".join(file.read_bytes() for file in clinic.folder.rglob("*sqlite*"))
    assert kept and road.address.encode() not in kept


async def test_what_is_no_address_changes_nothing_and_can_be_typed_again(clinic: SimulatedClinic, road: Road) -> None:
    await clinic.nurse.says("/oncall")
    await clinic.nurse.taps("My second road", "Add a channel")
    await clinic.nurse.says("nobody knows")
    assert "no address that can be used" in await clinic.nurse.last()
    await clinic.nurse.says("nurse@clinic.org")
    assert "SECOND_ROAD_MAIL" in await clinic.nurse.last()
    await clinic.nurse.says(road.address)
    assert len(road.said) == 1


async def test_only_an_administrator_sets_the_channels_of_others(clinic: SimulatedClinic, road: Road) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await clinic.admin.says("/oncall")
    await clinic.admin.taps("My second road", "Physician: 0", "Add a channel")
    await clinic.admin.says(road.address)
    assert "second road: 1 channel" in await told(clinic, "/oncall")
    physician = clinic.desk.act_now(lambda work: work.stores.rota.in_order()[1].id)
    await clinic.nurse.forges(Tap("roads", physician).encode())
    assert "not for this account" in await clinic.nurse.last()


async def test_an_alert_that_nobody_takes_goes_over_the_second_road(clinic: SimulatedClinic, road: Road) -> None:
    await adds_channel(clinic, road)
    road.said.clear()
    await clinic.enrols(clinic.ana)
    await reports_danger(clinic)
    await clinic.forward(minutes=4)
    assert road.said == []
    await clinic.forward(minutes=2)
    assert road.said == [URGENT]
    await clinic.forward(minutes=6)
    assert road.said == [URGENT] * 2  # again, as long as nobody reacts
    await clinic.nurse.taps("Take it")
    await clinic.forward(minutes=10)
    assert road.said == [URGENT] * 2


async def test_red_uses_the_second_road_within_90_seconds_when_telegram_takes_nothing(
    clinic: SimulatedClinic, road: Road
) -> None:
    await adds_channel(clinic, road)
    road.said.clear()
    await clinic.enrols(clinic.ana)
    clinic.simulator.faults.add("away", methods=NOT_TAKEN)
    await reports_danger(clinic)
    await clinic.forward(seconds=50)
    assert road.said == []
    await clinic.forward(seconds=40)
    assert road.said == [URGENT]
    await clinic.forward(minutes=9)
    assert "Urgent, now" not in await clinic.nurse.all_texts()

    clinic.simulator.faults.clear()
    await clinic.forward(seconds=15)
    assert (await clinic.nurse.all_texts()).count("Urgent, now: patient P-0001") == 1  # one page, not one for each step
    assert "Please call now" in await clinic.ana.all_texts()


async def test_whoever_blocked_the_bot_is_called_at_once(clinic: SimulatedClinic, road: Road) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await adds_channel(clinic, road)
    road.said.clear()
    await clinic.enrols(clinic.ana)
    await clinic.nurse.blocks()
    assert "Nurse cannot be reached in Telegram" in await clinic.admin.last()
    await reports_danger(clinic)
    assert road.said == [URGENT]


async def test_a_failed_try_is_made_again_until_it_is_taken(clinic: SimulatedClinic, road: Road) -> None:
    await adds_channel(clinic, road)
    road.said.clear()
    await clinic.enrols(clinic.ana)
    await reports_danger(clinic)
    road.is_broken = True
    await clinic.forward(minutes=5, seconds=3)
    assert clinic.desk.act_now(states) == [DispatchState.WAITING]
    road.is_broken = False
    await clinic.forward(seconds=30)
    assert clinic.desk.act_now(states) == [DispatchState.SENT]


async def test_a_dead_channel_is_told_to_the_administrator(clinic: SimulatedClinic, road: Road) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await adds_channel(clinic, road)
    await clinic.enrols(clinic.ana)
    await reports_danger(clinic)
    road.is_broken = True
    await clinic.forward(minutes=10)
    assert "A channel of the second road takes nothing (Nurse)" in await clinic.admin.all_texts()
    road.is_broken = False
    await clinic.nurse.taps("Send me a test")
    assert "Over since" in await clinic.admin.all_texts()


async def test_a_try_that_died_with_its_process_is_made_again(tmp_path: Path, postgres_url: str, road: Road) -> None:
    desk = open_desk(tmp_path, postgres_url)
    load.employ(desk)

    def call_nurse(work: Work) -> None:
        nurse = work.stores.rota.in_order()[0]
        work.stores.roads.add_channel(nurse.id, road.address, by=None)
        roads.call(work, nurse, roads.TEST)

    desk.act_now(call_nurse)
    road.is_slow = True
    async with bot_process(NOWHERE, tmp_path, database_url=postgres_url, wait=False) as process, asyncio.timeout(60):
        await road.asked.wait()
        await process.kill()
    assert road.said == []
    road.is_slow = False
    later = SimulatorClock()
    later.turn_to(later.now() + dispatching.UNDER_WAY)
    again = app.open_desk(settings(tmp_path, postgres_url), CLINIC, later)
    channels = Channels(again)
    while not await channels.drained():
        await channels.send_due()
        await asyncio.sleep(0.05)
    assert len(road.said) == 1
    channels.close()
    desk.close()
    again.close()


async def test_the_operator_hears_of_incidents_on_a_channel_of_their_own(tmp_path: Path, road: Road) -> None:
    async with opened(tmp_path, operator={"operator_channels": road.address}) as clinic:
        await clinic.desk.act(incidents.open, IncidentKind.DISK)
        await clinic.afterglow.settle()
        assert road.said == ["Afterglow: Afterglow needs repair: The disk is almost full."]


async def test_a_mail_address_is_enough_when_the_operator_has_set_mail_up(tmp_path: Path, road: Road) -> None:
    async with opened(tmp_path, operator={"second_road_mail": f"{road.address}?to={{address}}"}) as clinic:
        await clinic.nurse.says("/oncall")
        await clinic.nurse.taps("My second road", "Add a channel")
        assert "A mail address" in await clinic.nurse.last() and "SMS" not in await clinic.nurse.last()
        await clinic.nurse.says("nurse@clinic.org")
        assert len(road.said) == 1
        assert "n…@clinic.org" in await clinic.nurse.all_texts()


def test_a_template_without_room_for_an_address_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="SECOND_ROAD_MAIL") as raised:
        Settings.read(_env_file=None, second_road_mail="mailto://user:hunter2@mail.example")
    assert "hunter2" not in str(raised.value)


async def told(clinic: SimulatedClinic, command: str) -> str:
    await clinic.physician.says(command)
    return await clinic.physician.last()
