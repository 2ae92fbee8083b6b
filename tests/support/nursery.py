"""Bots that are forked off one process which has imported everything, so that hundreds of kills wait for few imports.

Each is a process of its own and dies like one; only the imports are shared.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar

from tests.support.processes import Forked, Process, started

LONGEST_REQUEST = 100_000  # bytes


class Nursery:
    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._asking = asyncio.Lock()

    @asynccontextmanager
    async def bear(self, environment: Mapping[str, str], *, unlimited: bool) -> AsyncIterator[Process]:
        """One of them, killed when the body ends."""
        process = await self._fork(environment, unlimited=unlimited)
        try:
            yield process
        finally:
            await process.kill()

    async def _fork(self, environment: Mapping[str, str], *, unlimited: bool) -> Process:
        reading, writing = os.pipe()
        async with self._asking:
            request = json.dumps({"environment": dict(environment), "unlimited": unlimited}).encode()
            socket.send_fds(self._line, [request], [writing])
            os.close(writing)
            pid = int(await asyncio.get_running_loop().run_in_executor(None, self._line.recv, 20))
        return await Forked.of(pid, reading)


IN_CHARGE: ContextVar[Nursery | None] = ContextVar("nursery", default=None)


@asynccontextmanager
async def nursery() -> AsyncIterator[None]:
    """Within it, and in tasks that begin within it, `bot_process` forks."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with here, there:
        async with started("tests.support.nursery", str(there.fileno()), inherits=[there.fileno()]) as process:
            await process.line()
            token = IN_CHARGE.set(Nursery(here))
            try:
                yield
            finally:
                IN_CHARGE.reset(token)


def _serve(line: socket.socket, live: Callable[..., None]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        request, (output, *_), _, _ = socket.recv_fds(line, LONGEST_REQUEST, 1)
        wanted = json.loads(request)
        pid = os.fork()
        if not pid:
            line.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(output, sys.stdout.fileno())
            os.close(output)
            os.environ.update(wanted["environment"])
            live(unlimited=wanted["unlimited"])
            os._exit(0)
        os.close(output)
        line.send(str(pid).encode())


if __name__ == "__main__":
    from tests.support.bot_process import live  # with all that it imports

    _serve(socket.socket(fileno=int(sys.argv[1])), live)
