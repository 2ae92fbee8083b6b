"""The wall clock beside elapsed time: a jump is seen, escalations follow the later of both, a new time is believed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.drift import BELIEVED_AFTER, TwoClocks

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@given(jump=st.floats(5.1, 86_400 * 400), back=st.booleans(), waited=st.floats(0, BELIEVED_AFTER - 1))
def test_no_escalation_is_late_after_a_jump(jump: float, back: bool, waited: float) -> None:
    clocks = TwoClocks()
    clocks.read(START, 50)
    off = -jump if back else jump
    first = clocks.read(after(1 + off), 51)
    later = clocks.read(after(1 + waited + off), 51 + waited)
    assert not first.steady
    assert not later.steady
    assert later.latest == max(after(1 + waited), after(1 + waited + off))


def test_a_new_time_that_stays_is_believed() -> None:
    clocks = TwoClocks()
    clocks.read(START, 0)
    assert not clocks.read(after(3600), 1).steady
    assert clocks.read(after(3600 + BELIEVED_AFTER), 1 + BELIEVED_AFTER).steady
    assert clocks.read(after(3601 + BELIEVED_AFTER), 2 + BELIEVED_AFTER).latest == after(3601 + BELIEVED_AFTER)


def test_a_clock_that_is_put_right_again_was_never_believed() -> None:
    clocks = TwoClocks()
    clocks.read(START, 0)
    assert not clocks.read(after(3600), 1).steady
    assert clocks.read(after(10), 10).steady


def test_small_steps_of_an_honest_clock_never_add_up() -> None:
    clocks = TwoClocks()
    assert all(clocks.read(after(1.01 * second), second).steady for second in range(100_000))
