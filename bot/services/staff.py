"""The care team itself: who is paged in which order, who is away, and by which channels each can be reached."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bot.services import letters, roads
from bot.services.errors import NotForYou, NotOnRota, StaleButton
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.people import STAFF, ChatState, Person, Role

AWAY_DAYS = ("1", "3", "7", "14")
CHANNEL_STEP = "channel.add"


@dataclass(frozen=True, slots=True)
class Place:
    id: UUID
    name: str
    away_until: datetime | None
    channels: int
    reachable: bool  # in Telegram


@dataclass(frozen=True, slots=True)
class RotaView:
    places: tuple[Place, ...]
    others: tuple[Place, ...]  # staff who are only paged with everybody
    on_call: bool  # somebody is


@dataclass(frozen=True, slots=True)
class ChannelsView:
    person: UUID
    name: str
    channels: tuple[tuple[UUID, str], ...]  # with a hint that shows no secret
    mail: bool  # whether a plain mail address can be typed
    sms: bool


def show_rota(work: Work) -> None:
    letters.reply(work, "rota", card="rota")


def rota(work: Work) -> RotaView:
    places = work.stores.rota.places()
    named = {person.id for person, _ in places}
    return RotaView(
        tuple(_place(work, person, until) for person, until in places),
        tuple(_place(work, person, None) for person in work.stores.people.staff() if person.id not in named),
        bool(work.stores.rota.in_order()),
    )


def take_first_place(work: Work) -> None:
    """«I am on call»: the caller is paged first from now on, and is not away."""
    _put_first(work, work.by())
    work.stores.audit.record("rota.first", actor=work.caller.id, subject=work.caller.id)
    _show_again(work)


def hand_shift(work: Work, person_id: UUID) -> None:
    """Somebody else is paged first from now on, and is told so."""
    person = _staff(work, person_id)
    _put_first(work, person)
    work.stores.audit.record("rota.handed_over", actor=work.caller.id, subject=person.id)
    if person.id != work.by().id:
        letters.to_person(work, person, "rota.handed", Urgency.REPLY, subject=work.by().id)
    _show_again(work)


def move_up(work: Work, person_id: UUID) -> None:
    """One place up; somebody without a place gets the last one."""
    person = _staff(work, person_id)
    order = [known.id for known, _ in work.stores.rota.places()]
    if person.id in order:
        at = order.index(person.id)
        order.insert(max(0, at - 1), order.pop(at))
    else:
        order.append(person.id)
    work.stores.rota.set(order)
    work.stores.audit.record("rota.moved", actor=work.caller.id, subject=person.id)
    letters.reply(work, "rota.order", card="rota.order", fresh=False)


def take_off(work: Work, person_id: UUID) -> None:
    """Paged only with everybody from now on."""
    order = [known.id for known, _ in work.stores.rota.places() if known.id != person_id]
    work.stores.rota.set(order)
    work.stores.audit.record("rota.removed", actor=work.caller.id, subject=person_id)
    letters.reply(work, "rota.order", card="rota.order", fresh=False)


def be_away(work: Work, days: str) -> None:
    """The caller keeps the place and is passed over for so many days; "0" ends it."""
    if days not in (*AWAY_DAYS, "0"):
        raise StaleButton
    until = work.now + timedelta(days=int(days)) if days != "0" else None
    if not work.stores.rota.set_away(work.by().id, until):
        raise NotOnRota
    work.stores.audit.record("rota.away", actor=work.caller.id, subject=work.caller.id, detail=f"{days} days")
    _show_again(work)


def show_order(work: Work) -> None:
    letters.reply(work, "rota.order", card="rota.order")


def choose_shift(work: Work) -> None:
    letters.reply(work, "rota.shift", card="rota.shift")


def choose_absence(work: Work) -> None:
    letters.reply(work, "rota.absence", card="rota.absence")


def show_channels(work: Work, person_id: UUID | None) -> None:
    """One's own channels; an administrator may look after anybody's."""
    letters.reply(work, "channels", subject=_may_set(work, person_id).id, card="channels")


def ask_channel(work: Work, person_id: UUID | None) -> None:
    person = _may_set(work, person_id)
    work.stores.dialogues.enter(work.chat(), CHANNEL_STEP, {"person": str(person.id)})
    letters.reply(work, "channels.ask", subject=person.id)


def add_channel(work: Work, person_id: UUID, typed: str) -> None:
    """What was typed as an address; a test goes over it at once."""
    person = _may_set(work, person_id)
    channel = work.stores.roads.add_channel(person.id, roads.read_address(work, typed), work.caller.id)
    work.stores.dialogues.leave(work.chat())
    work.stores.audit.record("channel.added", actor=work.caller.id, subject=person.id)
    work.stores.roads.write(roads.TEST, channel=channel)
    letters.reply(work, "channels", subject=person.id, card="channels")


def remove_channel(work: Work, channel_id: UUID) -> None:
    channel = work.stores.roads.channel(channel_id)
    if channel is None or channel.removed_at is not None:
        raise StaleButton
    person = _may_set(work, channel.person_id)
    channel.removed_at = work.now
    work.stores.audit.record("channel.removed", actor=work.caller.id, subject=person.id)
    letters.reply(work, "channels", subject=person.id, card="channels", fresh=False)


def test_channels(work: Work, person_id: UUID | None) -> None:
    """«Send me a test»: whether it was taken is told when it is known."""
    person = _may_set(work, person_id)
    sent = roads.call(work, person, roads.TEST)
    letters.reply(work, "notice", detail="road.testing" if sent else "road.none")


def channels(work: Work, person_id: UUID) -> ChannelsView:
    person = work.stores.people.get(person_id)
    return ChannelsView(
        person.id, work.stores.people.name(person),
        tuple(
            (channel.id, roads.hint(work.stores.roads.address(channel)))
            for channel in work.stores.roads.channels_of(person.id)
        ),
        mail=work.knowledge.roads.mail is not None, sms=work.knowledge.roads.sms is not None,
    )  # fmt: skip


def is_admin(work: Work, person_id: UUID | None) -> bool:
    person = work.stores.people.find(person_id) if person_id else None
    return person is not None and person.role == Role.ADMIN


def typed(work: Work, _step: str, draft: dict[str, str], said: str) -> None:
    """The address that «Add a channel» asked for."""
    add_channel(work, UUID(draft["person"]), said)


def _place(work: Work, person: Person, until: datetime | None) -> Place:
    return Place(
        person.id, work.stores.people.name(person), until, len(work.stores.roads.channels_of(person.id)),
        work.stores.chats.get(person.chat_id).state == ChatState.OPEN,
    )  # fmt: skip


def _put_first(work: Work, person: Person) -> None:
    others = [known.id for known, _ in work.stores.rota.places() if known.id != person.id]
    work.stores.rota.set([person.id, *others])
    work.stores.rota.set_away(person.id, None)


def _show_again(work: Work) -> None:
    letters.reply(work, "rota", card="rota", fresh=False)


def _staff(work: Work, person_id: UUID) -> Person:
    person = work.stores.people.find(person_id)
    if person is None or person.role not in STAFF or person.left_at is not None:
        raise StaleButton
    return person


def _may_set(work: Work, person_id: UUID | None) -> Person:
    if person_id is None or person_id == work.by().id:
        return work.by()
    if work.by().role != Role.ADMIN:
        raise NotForYou
    return _staff(work, person_id)
