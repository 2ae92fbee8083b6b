"""What Telegram lets through is used, and alerts find room while a burst drains."""

from uuid import uuid4

from bot.delivery.pace import Pace, Pacer
from bot.services.letters import Urgency


def drain(pacer: Pacer, seconds: float, urgency: Urgency = Urgency.PROMPT) -> list[float]:
    """When letters to ever new chats may start, asked every 5 ms."""
    started = []
    for tick in range(int(seconds * 200)):
        now = 100 + tick / 200
        room = min(pacer.room(now), pacer.ordinary_room(now)) if urgency > Urgency.ALERT else pacer.room(now)
        for _ in range(max(0, int(room))):
            pacer.started(uuid4(), urgency, now, is_group=False)
            started.append(now)
    return started


def most_in_a_second(started: list[float]) -> int:
    return max(sum(1 for other in started if 0 <= other - begin < 1) for begin in started)


def test_a_burst_drains_at_nearly_the_permitted_rate() -> None:
    started = drain(Pacer(Pace()), 20)
    assert len(started) >= 0.95 * 30 * 20
    assert most_in_a_second(started) <= 30


def test_an_alert_finds_a_place_at_once_in_a_burst() -> None:
    pacer = Pacer(Pace())
    now = drain(pacer, 3)[-1]
    assert pacer.room(now) >= 1
    assert pacer.ordinary_room(now) < 1


def test_while_alerts_go_out_there_is_a_place_for_several_at_once() -> None:
    pacer = Pacer(Pace())
    first = drain(pacer, 3)[-1] + 0.01
    pacer.started(uuid4(), Urgency.ALERT, first, is_group=False)
    rooms = []
    for tick in range(1, 380):
        now = first + tick / 200
        if pacer.ordinary_room(now) >= 1:
            pacer.started(uuid4(), Urgency.PROMPT, now, is_group=False)
        if tick > 200:
            rooms.append(pacer.room(now))
    assert min(rooms) >= 5


def test_one_slow_chat_waits_alone_and_several_slow_everything_but_alerts() -> None:
    pacer, first, second = Pacer(Pace()), uuid4(), uuid4()
    pacer.refused(first, 7, 100)
    assert pacer.waiting(106) == [first]
    assert pacer.ordinary_room(101) >= 1
    pacer.refused(second, 7, 102)
    assert pacer.ordinary_room(108) == 0
    assert pacer.room(108) == 30
    assert pacer.ordinary_room(109.5) >= 1
    assert pacer.waiting(109.5) == []


def test_a_group_takes_alerts_in_a_row_up_to_its_minute() -> None:
    pacer, group = Pacer(Pace()), uuid4()
    now = 100.0
    for _ in range(19):
        assert pacer.waiting(now) == []
        pacer.started(group, Urgency.ALERT, now, is_group=True)
        now += 0.06
    assert pacer.waiting(now) == [group]
    assert pacer.waiting(161) == []
