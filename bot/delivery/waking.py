"""Waiting for work, without ever missing the order to stop."""

import asyncio


async def woken(event: asyncio.Event, seconds: float) -> bool:
    """Waits until the event is set, at most `seconds`; False when the time ran out.

    Not `asyncio.wait_for`: before Python 3.12 it can swallow a cancellation that meets the event.
    """
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
