"""Reviewed baselines: what a clinician signed as usual for a patient with chronic thoughts"""

import sqlalchemy as sa
from alembic import op

import storage.tables.base

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "reviewed_baselines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("signed_by", sa.Uuid(), nullable=False),
        sa.Column("signed_at", storage.tables.base.Moment(timezone=True), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("sealed_terms", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_reviewed_baselines_patient_id")),
        sa.ForeignKeyConstraint(["signed_by"], ["people.id"], name=op.f("fk_reviewed_baselines_signed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviewed_baselines")),
    )
    op.create_index(op.f("ix_reviewed_baselines_patient_id"), "reviewed_baselines", ["patient_id"], unique=False)
