"""The drug left: what a pump runs on, when it must be filled again, and what is owed because of it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _id() -> sa.types.TypeEngine:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _exact() -> sa.String:
    return sa.String(24)


def _instant() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _added() -> tuple[tuple[str, sa.Column], ...]:
    """Columns added and dropped in place: others refer to these tables, so SQLite must not make them anew."""
    return (
        ("pump", sa.Column("removed_on", sa.Date(), nullable=True)),
        ("pump", sa.Column("replace_by", sa.Date(), nullable=True)),
        ("pump", sa.Column("eri_on", sa.Date(), nullable=True)),
        ("contact", sa.Column("told_if_missed", sa.Boolean(), nullable=False, server_default=sa.false())),
        ("appointment", sa.Column("late_reason", sa.LargeBinary(), nullable=True)),
        ("appointment", sa.Column("missed_reason", sa.String(), nullable=True)),
        ("task", sa.Column("due_at", _instant(), nullable=True)),
        ("task", sa.Column("needed_by", sa.Date(), nullable=True)),
        ("outbound_message", sa.Column("care_step_id", _id(), nullable=True)),
    )


def upgrade() -> None:
    for table, column in _added():
        op.add_column(table, column)

    op.create_table(
        "care_policy",
        sa.Column("clinic_id", _id(), nullable=False, autoincrement=False),
        sa.Column("concentrations", sa.JSON(), nullable=False),
        sa.Column("alarm_volume_ml", _exact(), nullable=False),
        sa.Column("flow_band", _exact(), nullable=False),
        sa.Column("stability_days", sa.Integer(), nullable=False),
        sa.Column("stability_of", sa.JSON(), nullable=False),
        sa.Column("max_interval_days", sa.Integer(), nullable=True),
        sa.Column("lead_days", sa.Integer(), nullable=False),
        sa.Column("aspirated_percent", _exact(), nullable=False),
        sa.Column("aspirated_ml", _exact(), nullable=False),
        sa.Column("jump_percent", _exact(), nullable=False),
        sa.Column("ask_to_book_days", sa.Integer(), nullable=False),
        sa.Column("offers", sa.JSON(), nullable=False),
        sa.Column("transport_phone", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_care_policy_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("clinic_id", name=op.f("pk_care_policy")),
    )

    with op.batch_alter_table("refill", schema=None) as batch_op:
        batch_op.drop_constraint("uq_refill_pump_id", type_="unique")
        batch_op.add_column(sa.Column("aspirated_ml", _exact(), nullable=True))
        batch_op.add_column(sa.Column("expected_ml", _exact(), nullable=True))
        batch_op.add_column(sa.Column("state", _entry(), nullable=False, server_default="effective"))
        batch_op.add_column(sa.Column("second_person_because", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("entered_by", _id(), nullable=True))
        batch_op.add_column(sa.Column("confirmed_by", _id(), nullable=True))
        batch_op.add_column(sa.Column("confirmed_at", _instant(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_refill_entered_by_staff"), "staff", ["entered_by"], ["id"])
        batch_op.create_foreign_key(op.f("fk_refill_confirmed_by_staff"), "staff", ["confirmed_by"], ["id"])
    _one_in_force("refill", "filled_on")

    with op.batch_alter_table("program", schema=None) as batch_op:
        batch_op.drop_constraint("uq_program_pump_id", type_="unique")
        batch_op.add_column(sa.Column("drug", sa.String(), nullable=False, server_default="baclofen"))
        batch_op.add_column(sa.Column("weekday_doses_mcg", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("boluses_per_day", _exact(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("bolus_mcg", _exact(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("refill_id", _id(), nullable=True))
        batch_op.add_column(sa.Column("state", _entry(), nullable=False, server_default="effective"))
        batch_op.add_column(sa.Column("second_person_because", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("entered_by", _id(), nullable=True))
        batch_op.add_column(sa.Column("confirmed_by", _id(), nullable=True))
        batch_op.add_column(sa.Column("confirmed_at", _instant(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_program_refill_id_refill"), "refill", ["refill_id"], ["id"])
        batch_op.create_foreign_key(op.f("fk_program_entered_by_staff"), "staff", ["entered_by"], ["id"])
        batch_op.create_foreign_key(op.f("fk_program_confirmed_by_staff"), "staff", ["confirmed_by"], ["id"])
    _one_in_force("program", "effective_on")

    _supply()
    _care_step()
    _referral()
    _scan()


def _entry() -> sa.Enum:
    return sa.Enum("effective", "waiting", "declined", name="entrystate", native_enum=False, length=24)


def _one_in_force(table: str, day: str) -> None:
    where = sa.text("state = 'effective'")
    op.create_index(
        f"uq_{table}_in_force", table, ["pump_id", day], unique=True, sqlite_where=where, postgresql_where=where
    )
    op.create_index(f"ix_{table}_pump_id", table, ["pump_id"])


def _supply() -> None:
    op.create_table(
        "supply",
        sa.Column("patient_id", _id(), nullable=False, autoincrement=False),
        sa.Column("clinic_id", _id(), nullable=False),
        sa.Column("pump_id", _id(), nullable=False),
        sa.Column("refill_id", _id(), nullable=True),
        sa.Column("filled_on", sa.Date(), nullable=True),
        sa.Column("flow_ml_per_day", _exact(), nullable=True),
        sa.Column("early_low_alarm_on", sa.Date(), nullable=True),
        sa.Column("low_alarm_on", sa.Date(), nullable=True),
        sa.Column("late_low_alarm_on", sa.Date(), nullable=True),
        sa.Column("early_empty_on", sa.Date(), nullable=True),
        sa.Column("empty_on", sa.Date(), nullable=True),
        sa.Column("plan_by", sa.Date(), nullable=True),
        sa.Column("plan_by_because", sa.String(), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("computed_at", _instant(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_supply_clinic_id_clinic")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_supply_patient_id_patient")),
        sa.ForeignKeyConstraint(["pump_id"], ["pump.id"], name=op.f("fk_supply_pump_id_pump")),
        sa.PrimaryKeyConstraint("patient_id", name=op.f("pk_supply")),
    )
    op.create_index("ix_supply_clinic_id_early_empty_on", "supply", ["clinic_id", "early_empty_on"])


def _care_step() -> None:
    state = sa.Enum("planned", "done", "cancelled", "skipped", name="stepstate", native_enum=False, length=24)
    op.create_table(
        "care_step",
        sa.Column("id", _id(), nullable=False),
        sa.Column("patient_id", _id(), nullable=False),
        sa.Column("appointment_id", _id(), nullable=True),
        sa.Column("pump_id", _id(), nullable=True),
        sa.Column("ladder", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("due_at", _instant(), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("settled_at", _instant(), nullable=True),
        sa.Column("created_at", _instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name=op.f("fk_care_step_appointment_id_appointment")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_care_step_patient_id_patient")),
        sa.ForeignKeyConstraint(["pump_id"], ["pump.id"], name=op.f("fk_care_step_pump_id_pump")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_step")),
        sa.UniqueConstraint("patient_id", "key", name=op.f("uq_care_step_patient_id")),
    )
    where = sa.text("state = 'planned'")
    op.create_index("ix_care_step_planned_due_at", "care_step", ["due_at"], sqlite_where=where, postgresql_where=where)
    op.create_index("ix_care_step_appointment_id", "care_step", ["appointment_id"])


def _referral() -> None:
    state = sa.Enum("sent", "received", "booked", "done", name="referralstate", native_enum=False, length=24)
    op.create_table(
        "referral",
        sa.Column("id", _id(), nullable=False),
        sa.Column("clinic_id", _id(), nullable=False),
        sa.Column("patient_id", _id(), nullable=False),
        sa.Column("pump_id", _id(), nullable=False),
        sa.Column("owner_id", _id(), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("opened_at", _instant(), nullable=False),
        sa.Column("state_at", _instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_referral_clinic_id_clinic")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_referral_owner_id_staff")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_referral_patient_id_patient")),
        sa.ForeignKeyConstraint(["pump_id"], ["pump.id"], name=op.f("fk_referral_pump_id_pump")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
    )
    where = sa.text("state != 'done'")
    op.create_index(
        "uq_referral_open", "referral", ["pump_id"], unique=True, sqlite_where=where, postgresql_where=where
    )


def _scan() -> None:
    op.create_table(
        "scan",
        sa.Column("id", _id(), nullable=False),
        sa.Column("clinic_id", _id(), nullable=False),
        sa.Column("patient_id", _id(), nullable=False),
        sa.Column("scanned_at", _instant(), nullable=False),
        sa.Column("checked", sa.Boolean(), nullable=True),
        sa.Column("answered_at", _instant(), nullable=True),
        sa.Column("recorded_by", _id(), nullable=True),
        sa.Column("created_at", _instant(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_scan_clinic_id_clinic")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_scan_patient_id_patient")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_scan_recorded_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
    )
    op.create_index("ix_scan_patient_id", "scan", ["patient_id"])


def downgrade() -> None:
    for table in ("scan", "referral", "care_step", "supply", "care_policy"):
        op.drop_table(table)
    for table, day in (("program", "effective_on"), ("refill", "filled_on")):
        # what waits for a second person was never in force, and the old tables have no place for it
        op.execute(sa.text(f"DELETE FROM {table} WHERE state != 'effective'"))  # noqa: S608
        op.drop_index(f"uq_{table}_in_force", table_name=table)
        op.drop_index(f"ix_{table}_pump_id", table_name=table)
        extra = {
            "program": ("drug", "weekday_doses_mcg", "boluses_per_day", "bolus_mcg", "refill_id"),
            "refill": ("aspirated_ml", "expected_ml"),
        }[table]
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in ("entered_by", "confirmed_by"):
                batch_op.drop_constraint(op.f(f"fk_{table}_{name}_staff"), type_="foreignkey")
            if table == "program":
                batch_op.drop_constraint(op.f("fk_program_refill_id_refill"), type_="foreignkey")
            for name in (*extra, "state", "second_person_because", "entered_by", "confirmed_by", "confirmed_at"):
                batch_op.drop_column(name)
            batch_op.create_unique_constraint(op.f(f"uq_{table}_pump_id"), ["pump_id", day])
    for table, column in reversed(_added()):
        op.drop_column(table, column.name)
