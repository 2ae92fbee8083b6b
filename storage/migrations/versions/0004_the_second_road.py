"""The second road, absences, and what an alert knows of its pages, promises and refusals"""

import sqlalchemy as sa
from alembic import op

import storage.tables.base

revision = "0004"
down_revision = "0003"
runs_from = "0004"

MOMENT = storage.tables.base.Moment(timezone=True)
POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = sa.Enum("waiting", "sent", "failed", "dropped", name="dispatchstate", native_enum=False, length=24)


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["added_by"], ["people.id"], name=op.f("fk_channels_added_by")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_channels_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
    )
    op.create_index(op.f("ix_channels_person_id"), "channels", ["person_id"], unique=False)
    op.create_table(
        "dispatches",
        sa.Column("position", POSITION, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("state", STATES, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_dispatches_channel_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_dispatches_person_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_dispatches")),
    )
    op.create_index(op.f("ix_dispatches_state_dispatches_due_at"), "dispatches", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_dispatches_subject_id"), "dispatches", ["subject_id"], unique=False)
    op.create_table(
        "alert_passes",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_alert_passes_alert_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_alert_passes_person_id")),
        sa.PrimaryKeyConstraint("alert_id", "person_id", name=op.f("pk_alert_passes")),
    )
    op.add_column("alerts", sa.Column("reached_at", MOMENT, nullable=True))
    op.add_column("alerts", sa.Column("promised_at", MOMENT, nullable=True))
    op.add_column("rota", sa.Column("away_until", MOMENT, nullable=True))
    op.drop_column("rota", "second_road")
