"""Programs of two releases on one database: what the newer one adds, the older one lives with; else it says so."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from bot import app
from bot.delivery.pace import UNLIMITED
from bot.doctor import Verdict, examine
from bot.settings import Clinic, Settings
from storage import engine
from storage.crypto import MasterKeys
from storage.engine import Database, known_schemas
from storage.errors import SchemaTooNew
from tests.support.clinic import PHONE, opened

LATER = """
import sqlalchemy as sa
from alembic import op

revision = "9998"
down_revision = {head!r}


def upgrade() -> None:
    op.add_column("patients", sa.Column("shoe_size", sa.Integer(), nullable=True))
    op.create_table("shoes", sa.Column("id", sa.Integer(), primary_key=True))
"""
LATER_STILL = """
from alembic import op

revision = "9999"
down_revision = "9998"
runs_from = "9998"


def upgrade() -> None:
    op.drop_table("shoes")
"""

Newer = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Newer:
    """While it is entered, this program is a newer one, which knows these migrations too."""
    head = known_schemas()[0]

    @contextmanager
    def entered(*migrations: str) -> Iterator[None]:
        folder = tmp_path / f"migrations-{len(migrations)}"
        shutil.copytree(engine.MIGRATIONS, folder)
        for number, source in enumerate(migrations):
            (folder / "versions" / f"later_{number}.py").write_text(source.format(head=head), encoding="utf-8")
        with monkeypatch.context() as patch:
            patch.setattr(engine, "MIGRATIONS", folder)
            yield

    return entered


async def test_an_older_and_a_newer_program_answer_side_by_side(
    tmp_path: Path, postgres_url: str, newer: Newer
) -> None:
    async with opened(tmp_path, url=postgres_url) as clinic:
        await clinic.enrols(clinic.ana)
        with newer(LATER):  # migrates while the older one runs
            desk = await asyncio.to_thread(app.open_desk, clinic.settings, Clinic(phone=PHONE), clinic.clock)
        assert desk.database.schema_version() == "9998"
        running = app.running(
            desk, clinic.clock, token=clinic.simulator.token, api_url=clinic.address, world=app.SIMULATED,
            poll_seconds=1, pace=UNLIMITED,
        )  # fmt: skip
        async with running:
            await clinic.infuses()
            await clinic.next_prompt(clinic.ana)
            await clinic.ana.taps("3")
            await clinic.ana.says("I've got the pills ready")
            assert "patient P-0001" in await clinic.nurse.last()
        desk.close()


def test_an_older_program_starts_on_what_a_newer_one_only_added(
    tmp_path: Path, database_url: str, newer: Newer
) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=database_url)
    with newer(LATER):
        Database(settings.database, MasterKeys.from_file(settings.key_file)).migrate()
    (database,) = [check for check in examine(settings, simulated=True) if check.name == "database"]
    assert database.verdict == Verdict.LOOK and "schema 9998" in database.says and "Upgrade it" in database.says


def test_a_program_that_is_too_old_says_so_and_changes_nothing(tmp_path: Path, database_url: str, newer: Newer) -> None:
    database = Database(database_url, MasterKeys.from_file(tmp_path / "master.keys"))
    with newer(LATER, LATER_STILL):
        database.migrate()
    with pytest.raises(SchemaTooNew, match=r"at 9999.*from schema 9998 on.*install the newer Afterglow"):
        database.migrate()
    assert database.schema_version() == "9999"
    with newer(LATER):  # the release between: it does without what was taken away
        database.migrate()
    assert database.schema_version() == "9999"
    database.close()
