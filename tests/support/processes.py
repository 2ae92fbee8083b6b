"""Python processes that end with the one who started them."""

import asyncio
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Process(ABC):
    """A process that a proof looks after."""

    pid: int

    @property
    @abstractmethod
    def returncode(self) -> int | None:
        """None while it lives."""

    @abstractmethod
    async def line(self, seconds: float = 60) -> str:
        """The next line it prints. Raises when it ends instead."""

    @abstractmethod
    async def wait(self) -> int:
        """Returns when it has ended."""

    def send(self, number: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    async def kill(self) -> None:
        self.send(signal.SIGKILL)
        await self.wait()

    async def end(self, seconds: float = 20) -> None:
        """As an operator stops it; killed when it does not end in time."""
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                await self.wait()
        except TimeoutError:
            await self.kill()

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Resident memory in MB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Started(Process):
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    async def line(self, seconds: float = 60) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(seconds):
            said = await self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"the process ended with {await self.wait()}")
        return said.decode().strip()

    async def wait(self) -> int:
        return await self._process.wait()


class Forked(Process):
    """Another process's child, watched from here. Nobody can tell how it ended, only that it did."""

    def __init__(self, pid: int, output: asyncio.StreamReader, transport: asyncio.ReadTransport) -> None:
        self.pid = pid
        self._output = output
        self._transport = transport
        self._ended = asyncio.Event()
        self._watch = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._watch, self._bury)

    @classmethod
    async def of(cls, pid: int, output: int) -> "Forked":
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(output, "rb")
        )
        return cls(pid, reader, transport)

    def _bury(self) -> None:
        asyncio.get_running_loop().remove_reader(self._watch)
        os.close(self._watch)
        self._transport.close()
        self._ended.set()

    @property
    def returncode(self) -> int | None:
        return -1 if self._ended.is_set() else None

    async def line(self, seconds: float = 60) -> str:
        async with asyncio.timeout(seconds):
            said = await self._output.readline()
        if not said:
            raise RuntimeError("the process ended")
        return said.decode().strip()

    async def wait(self) -> int:
        await self._ended.wait()
        return -1


@asynccontextmanager
async def started(
    module: str, *options: str, environment: Mapping[str, str] | None = None, inherits: Sequence[int] = ()
) -> AsyncIterator[Process]:
    """`python -m module options`; it `inherits` open files by their numbers."""
    raw = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *options, cwd=ROOT, env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**20, pass_fds=inherits,
    )  # fmt: skip
    process = Started(raw)
    try:
        yield process
    finally:
        await process.kill()
