"""Patients: an index of names, searches that an address can name, saved views, the scope of a consent, calls."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def _id() -> sa.types.TypeEngine:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _added() -> tuple[tuple[str, sa.Column], ...]:
    """Columns added and dropped in place: others refer to these tables, so SQLite must not make them anew."""
    return (
        ("patient", sa.Column("names_indexed", sa.Boolean(), nullable=False, server_default=sa.false())),
        ("contact", sa.Column("version", sa.Integer(), nullable=False, server_default="1")),
        ("consent_event", sa.Column("patient_id", _id(), nullable=True)),
        ("consent_event", sa.Column("scope", sa.String(), nullable=True)),
    )


def upgrade() -> None:
    for table, column in _added():
        op.add_column(table, column)
    # names are sealed and no key is at hand here: a job fills the index, and until then such names are opened
    condition = sa.text("NOT names_indexed")
    op.create_index(
        "ix_patient_names_to_index", "patient", ["clinic_id"], sqlite_where=condition, postgresql_where=condition
    )
    op.create_index("ix_appointment_patient_id_state", "appointment", ["patient_id", "state", "starts_at"])
    op.create_table(
        "name_key",
        sa.Column("key", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("patient_id", _id(), nullable=False, autoincrement=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_name_key_patient_id_patient")),
        sa.PrimaryKeyConstraint("key", "patient_id", name=op.f("pk_name_key")),
    )
    op.create_index("ix_name_key_patient_id", "name_key", ["patient_id"])
    op.create_table(
        "patient_search",
        sa.Column("id", _id(), nullable=False),
        sa.Column("staff_id", _id(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("query", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", _instant(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_patient_search_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_search")),
        sa.UniqueConstraint("token", name=op.f("uq_patient_search_token")),
    )
    op.create_index("ix_patient_search_staff_id", "patient_search", ["staff_id"])
    op.create_table(
        "saved_view",
        sa.Column("id", _id(), nullable=False),
        sa.Column("clinic_id", _id(), nullable=False),
        sa.Column("staff_id", _id(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("filters", sa.String(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_saved_view_clinic_id_clinic")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_saved_view_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index("ix_saved_view_clinic_id", "saved_view", ["clinic_id"])
    op.create_table(
        "phone_call",
        sa.Column("id", _id(), nullable=False),
        sa.Column("clinic_id", _id(), nullable=False),
        sa.Column("patient_id", _id(), nullable=False),
        sa.Column("staff_id", _id(), nullable=False),
        sa.Column("form_key", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("at", _instant(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_phone_call_clinic_id_clinic")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_phone_call_patient_id_patient")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_phone_call_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_call")),
        sa.UniqueConstraint("form_key", name=op.f("uq_phone_call_form_key")),
    )
    op.create_index("ix_phone_call_patient_id_at", "phone_call", ["patient_id", "at"])
    # the time line of one patient reads by patient
    op.create_index("ix_outbound_message_patient_id", "outbound_message", ["patient_id"])
    op.create_index("ix_consent_event_patient_id", "consent_event", ["patient_id"])


def downgrade() -> None:
    op.drop_index("ix_consent_event_patient_id", table_name="consent_event")
    op.drop_index("ix_outbound_message_patient_id", table_name="outbound_message")
    for table in ("phone_call", "saved_view", "patient_search", "name_key"):
        op.drop_table(table)
    op.drop_index("ix_appointment_patient_id_state", table_name="appointment")
    op.drop_index("ix_patient_names_to_index", table_name="patient")
    for table, column in reversed(_added()):
        op.drop_column(table, column.name)
