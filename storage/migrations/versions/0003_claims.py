"""Inbox rows are claimed by one of several processes; rows that two processes change carry a version"""

import sqlalchemy as sa
from alembic import op

import storage.tables.base

revision = "0003"
down_revision = "0002"
runs_from = "0003"


def upgrade() -> None:
    op.add_column("inbox", sa.Column("looks", sa.Integer(), server_default="0", nullable=False))
    op.add_column("inbox", sa.Column("claimed_by", sa.String(), nullable=True))
    op.add_column("inbox", sa.Column("claimed_until", storage.tables.base.Moment(timezone=True), nullable=True))
    op.create_index(op.f("ix_inbox_state_inbox_chat_key_inbox_position"), "inbox", ["state", "chat_key", "position"])
    op.create_index(
        "ix_inbox_not_triaged",
        "inbox",
        ["position"],
        sqlite_where=sa.text("state = 'waiting' AND triaged IS 0"),
        postgresql_where=sa.text("state = 'waiting' AND triaged IS FALSE"),
    )
    op.add_column("alerts", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("check_ins", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
