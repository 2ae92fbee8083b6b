"""The migrations make exactly what the models say, on both engines."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from storage.crypto import MasterKeys
from storage.engine import Database
from storage.errors import SchemaMismatch
from storage.tables import Table


@pytest.fixture
def keys(tmp_path: Path) -> MasterKeys:
    return MasterKeys.from_file(tmp_path / "master.keys")


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Table.metadata))


def test_sqlite(tmp_path: Path, keys: MasterKeys) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite'}", keys)
    with pytest.raises(SchemaMismatch, match="afterglow migrate"):
        database.require_current_schema()
    database.migrate()
    database.migrate()  # safe to repeat
    database.require_current_schema()
    with database.engine.connect() as connection:
        assert differences(connection) == []
    database.close()


def test_postgresql(postgres_url: str, keys: MasterKeys) -> None:
    database = Database(postgres_url, keys)
    database.migrate()
    with database.engine.connect() as connection:
        assert differences(connection) == []
    database.close()
