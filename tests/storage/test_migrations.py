"""The migrations make exactly what the models say, on both engines, and programs of two releases can share them."""

import ast
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from storage.crypto import MasterKeys
from storage.engine import MIGRATIONS, Database
from storage.errors import SchemaTooOld
from storage.tables import Table


@pytest.fixture
def keys(tmp_path: Path) -> MasterKeys:
    return MasterKeys.from_file(tmp_path / "master.keys")


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Table.metadata))


def test_sqlite(tmp_path: Path, keys: MasterKeys) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite'}", keys)
    with pytest.raises(SchemaTooOld, match="afterglow migrate"):
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


ADDING = {"create_table", "create_index", "add_column"}


def takes_away(source: str) -> list[str]:
    """What a program of before would stumble over: all but new tables, new indexes and columns it need not fill."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    found = []
    for call in calls:
        match call.func:
            case ast.Attribute(value=ast.Name(id="op"), attr=name) if name not in {*ADDING, "f"}:
                found.append(name)
            case ast.Attribute(value=ast.Name(id="op"), attr="add_column"):
                column = ast.unparse(call)
                if "nullable=True" not in column and "server_default=" not in column:
                    found.append(column)
    return found


@pytest.mark.parametrize("file", sorted((MIGRATIONS / "versions").glob("*.py")), ids=lambda file: file.stem)
def test_a_migration_only_adds_or_says_from_which_schema_on_programs_do_without(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert not takes_away(source) or "runs_from = " in source


def test_what_takes_away_is_seen() -> None:
    assert takes_away("op.drop_column('rota', 'second_road')") == ["drop_column"]
    assert takes_away("op.add_column('rota', sa.Column('left', sa.Integer(), nullable=False))")
    assert not takes_away("op.add_column('rota', sa.Column('left', sa.Integer(), nullable=True))")
