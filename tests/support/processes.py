"""Python processes that end with the one who started them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Process:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    async def line(self, seconds: float = 60) -> str:
        """The next line it prints. Raises when it ends instead."""
        assert self._process.stdout is not None
        async with asyncio.timeout(seconds):
            said = await self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"the process ended with {await self._process.wait()}")
        return said.decode().strip()

    def send(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        self.send(signal.SIGKILL)
        await self._process.wait()

    async def end(self, seconds: float = 20) -> None:
        """As an operator stops it; killed when it does not end in time."""
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Resident memory in MB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@asynccontextmanager
async def started(
    module: str, *options: str, environment: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()
) -> AsyncIterator[Process]:
    """`python -m module options`; `prefix` is a command that runs it, such as strace."""
    raw = await asyncio.create_subprocess_exec(
        *prefix, sys.executable, "-m", module, *options, cwd=ROOT, env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**20,
    )  # fmt: skip
    process = Process(raw)
    try:
        yield process
    finally:
        await process.kill()
