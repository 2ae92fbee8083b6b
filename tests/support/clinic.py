"""A whole clinic in a test: the real application on the simulator, people with phones, a clock to turn."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot import app
from bot.delivery.pace import UNLIMITED
from bot.desk import Desk
from bot.services import enrolment
from bot.settings import Clinic, Settings
from bot.simulator.client import PeopleClient
from bot.simulator.clock import SimulatorClock
from bot.simulator.server import TOKEN, Simulator
from storage.tables.people import Role

PHONE = "+1 555 0100"
TEAM = -100500

Json = dict[str, Any]


@dataclass
class Phone:
    """One person's phone. Every act returns when the application has nothing more to do."""

    number: int
    clinic: "SimulatedClinic"

    async def says(self, text: str, chat: int | None = None) -> None:
        await self._act("text", text=text, chat=chat)

    async def taps(self, *buttons: str, chat: int | None = None) -> None:
        for button in buttons:
            await self._act("tap", button=button, chat=chat)

    async def edits_last(self, text: str) -> None:
        shown = (await self.clinic.people.chat(self.number))["messages"]
        await self._act("edit", message=[one["id"] for one in shown if not one["from_bot"]][-1], text=text)

    async def forges(self, data: str) -> None:
        await self._act("tap", data=data)

    async def blocks(self) -> None:
        await self._act("block")

    async def messages(self) -> list[Json]:
        shown = await self.clinic.people.chat(self.number)
        return [message for message in shown["messages"] if message["from_bot"]]

    async def last(self) -> str:
        return str((await self.messages())[-1]["text"])

    async def all_texts(self) -> str:
        return "\n---\n".join(message["text"] for message in await self.messages())

    async def buttons(self) -> list[str]:
        return [button["text"] for row in (await self.messages())[-1]["buttons"] for button in row]

    async def _act(self, act: str, **given: Any) -> None:
        await self.clinic.people.act(self.number, act, **given)
        await self.clinic.afterglow.settle()


@dataclass
class SimulatedClinic:
    desk: Desk
    afterglow: app.Afterglow
    people: PeopleClient
    simulator: Simulator
    clock: SimulatorClock
    folder: Path
    settings: Settings
    address: str
    phones: dict[int, Phone] = field(default_factory=dict)

    def phone(self, number: int) -> Phone:
        return self.phones.setdefault(number, Phone(number, self))

    @property
    def admin(self) -> Phone:
        return self.phone(1001)

    @property
    def nurse(self) -> Phone:
        return self.phone(1002)

    @property
    def physician(self) -> Phone:
        return self.phone(1003)

    @property
    def ana(self) -> Phone:
        return self.phone(2001)

    @property
    def ben(self) -> Phone:
        return self.phone(2002)

    async def invites(self, phone: Phone, role: Role) -> None:
        token = self.desk.act_now(enrolment.invite_staff, role)
        await phone.says(f"/start {token}")

    async def forward(self, **span: float | str) -> None:
        await self.people.forward(**span)

    async def enrols(self, patient: Phone) -> None:
        """The nurse invites, the patient joins: ten in the morning is the patient's hour, in UTC."""
        await self.nurse.says("/enrol")
        link = (await self.nurse.last()).split()[-1]
        await patient.says(link)
        await patient.taps("English", "I agree")
        await patient.says("London")
        await patient.says("10:00")

    async def infuses(self, code: str = "P-0001") -> None:
        await self.nurse.says(code)
        await self.nurse.taps("Infusion given", "0.5 mg/kg", "Just now")

    async def next_prompt(self, patient: Phone) -> None:
        """Turns the clock to the next question that this patient is asked and opens it."""
        before = len(await patient.messages())
        for _ in range(40):
            await self.forward(to="next")
            shown = await patient.messages()
            if len(shown) > before and "Start" in await patient.buttons():
                await patient.taps("Start")
                return
        raise AssertionError("no question came")


def next_monday_morning() -> datetime:
    """Every journey begins at the same hour of the same weekday: Monday, 09:00 UTC."""
    tomorrow = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return tomorrow + timedelta(days=-tomorrow.weekday() % 7)


@asynccontextmanager
async def opened(
    folder: Path, *, staff: bool = True, url: str | None = None, operator: dict[str, Any] | None = None, **chosen: Any
) -> AsyncIterator[SimulatedClinic]:
    """`chosen` are the clinic's own settings, beside its name and phone; `operator` are an operator's, by name."""
    clock = SimulatorClock()
    clock.turn_to(next_monday_morning())
    simulator = Simulator(clock, limits=False)
    settings = Settings(_env_file=None, data_dir=folder, database_url=url, **(operator or {}))
    desk = app.open_desk(settings, Clinic(phone=PHONE, name="Test clinic", **chosen), clock)
    try:
        async with (
            simulator.serve("127.0.0.1", 0) as address,
            app.running(
                desk, clock, token=TOKEN, api_url=address, world=app.SIMULATED, poll_seconds=2, pace=UNLIMITED
            ) as afterglow,
            PeopleClient.connect(address) as people,
        ):
            simulator.attach(afterglow)
            clinic = SimulatedClinic(desk, afterglow, people, simulator, clock, folder, settings, address)
            if staff:
                await clinic.invites(clinic.nurse, Role.NURSE)
                await clinic.invites(clinic.physician, Role.PHYSICIAN)
            yield clinic
    finally:
        desk.close()
