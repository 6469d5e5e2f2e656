"""The inbox: one thread a phone, with its state, notes, read marks and history; filled from the texts there are."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"


def _id() -> sa.types.TypeEngine:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _state(name: str) -> sa.Column:
    states = ("open", "waiting_on_patient", "snoozed", "closed")
    return sa.Column(name, sa.Enum(*states, name="threadstate", native_enum=False, length=24), nullable=False)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def upgrade() -> None:
    _thread()
    op.create_table(
        "thread_seen",
        sa.Column("staff_id", _id(), nullable=False, autoincrement=False),
        sa.Column("phone_id", _id(), nullable=False, autoincrement=False),
        sa.Column("seen_id", _id(), nullable=False),
        _refers("thread_seen", "staff_id", "staff"),
        _refers("thread_seen", "phone_id", "phone"),
        sa.PrimaryKeyConstraint("staff_id", "phone_id", name=op.f("pk_thread_seen")),
    )
    op.create_table(
        "thread_note",
        sa.Column("id", _id(), nullable=False),
        sa.Column("clinic_id", _id(), nullable=False),
        sa.Column("phone_id", _id(), nullable=False),
        sa.Column("staff_id", _id(), nullable=False),
        sa.Column("form_key", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", _instant(), nullable=False),
        _refers("thread_note", "clinic_id", "clinic"),
        _refers("thread_note", "phone_id", "phone"),
        _refers("thread_note", "staff_id", "staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread_note")),
        sa.UniqueConstraint("form_key", name=op.f("uq_thread_note_form_key")),
    )
    op.create_index("ix_thread_note_phone_id", "thread_note", ["phone_id", "id"])
    op.create_table(
        "thread_change",
        sa.Column("id", _id(), nullable=False),
        sa.Column("clinic_id", _id(), nullable=False),
        sa.Column("phone_id", _id(), nullable=False),
        sa.Column("staff_id", _id(), nullable=True),
        sa.Column("at", _instant(), nullable=False),
        sa.Column("did", sa.String(), nullable=False),
        sa.Column("to_id", _id(), nullable=True),
        sa.Column("until", _instant(), nullable=True),
        _state("state_before"),
        sa.Column("assignee_before", _id(), nullable=True),
        sa.Column("snoozed_before", _instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _refers("thread_change", "clinic_id", "clinic"),
        _refers("thread_change", "phone_id", "phone"),
        _refers("thread_change", "staff_id", "staff"),
        _refers("thread_change", "to_id", "staff"),
        _refers("thread_change", "assignee_before", "staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread_change")),
    )
    op.create_index("ix_thread_change_phone_id", "thread_change", ["phone_id", "id"])
    for statement in BACKFILL:
        op.execute(sa.text(statement))


def _thread() -> None:
    op.create_table(
        "phone_thread",
        sa.Column("phone_id", _id(), nullable=False, autoincrement=False),
        sa.Column("clinic_id", _id(), nullable=False),
        _state("state"),
        sa.Column("assignee_id", _id(), nullable=True),
        sa.Column("snoozed_until", _instant(), nullable=True),
        sa.Column("last_in_id", _id(), nullable=True),
        sa.Column("last_in_at", _instant(), nullable=True),
        sa.Column("last_out_id", _id(), nullable=True),
        sa.Column("last_out_at", _instant(), nullable=True),
        sa.Column("last_at", _instant(), nullable=False),
        sa.Column("urgent_since", _instant(), nullable=True),
        sa.Column("failed_at", _instant(), nullable=True),
        sa.Column("waiting_since", _instant(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("since", _instant(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("paused_until", _instant(), nullable=True),
        sa.Column("paused_by", _id(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _refers("phone_thread", "phone_id", "phone"),
        _refers("phone_thread", "clinic_id", "clinic"),
        _refers("phone_thread", "assignee_id", "staff"),
        _refers("phone_thread", "paused_by", "staff"),
        sa.PrimaryKeyConstraint("phone_id", name=op.f("pk_phone_thread")),
    )
    sort = ["clinic_id", "state", "rank", "since", "last_at"]
    op.create_index("ix_phone_thread_sorted", "phone_thread", sort)
    op.create_index("ix_phone_thread_assignee", "phone_thread", ["assignee_id", "state"])
    where = sa.text("state = 'snoozed'")
    op.create_index(
        "ix_phone_thread_snoozed", "phone_thread", ["snoozed_until"], sqlite_where=where, postgresql_where=where
    )


# A thread for each phone that texted or was texted; pages to the on-call phone make none. What nobody waits in is
# closed. The same rules as app.actions.threads, as they are on the day of this revision.
_NEVER = "'1970-01-01 00:00:00.000000'"
_SERVED = "SELECT c.patient_id FROM contact c WHERE c.phone_id = phone_thread.phone_id"
_BY_HAND = (
    "SELECT max(m.created_at) FROM outbound_message m "
    "WHERE m.phone_id = phone_thread.phone_id AND m.purpose = 'staff' AND m.state != 'withdrawn'"
)
BACKFILL = (
    f"""
    INSERT INTO phone_thread (phone_id, clinic_id, state, last_in_id, last_in_at, last_out_id, last_out_at, last_at,
      failed_at, rank, since, language, version)
    SELECT p.id, p.clinic_id, 'closed', i.id, i.received_at, o.id, o.created_at,
      CASE WHEN o.created_at IS NULL OR i.received_at > o.created_at THEN i.received_at ELSE o.created_at END,
      CASE WHEN o.state IN ('undelivered', 'failed', 'refused', 'expired') THEN o.state_at END, 3, {_NEVER},
      coalesce(p.language, (SELECT min(pt.language) FROM contact c JOIN patient pt ON pt.id = c.patient_id
        WHERE c.phone_id = p.id), 'en'), 1
    FROM phone p
    LEFT JOIN (SELECT phone_id, max(id) AS id FROM inbound_message GROUP BY phone_id) newest_in
      ON newest_in.phone_id = p.id
    LEFT JOIN inbound_message i ON i.id = newest_in.id
    LEFT JOIN (SELECT phone_id, max(id) AS id FROM outbound_message WHERE purpose != 'page' GROUP BY phone_id)
      newest_out ON newest_out.phone_id = p.id
    LEFT JOIN outbound_message o ON o.id = newest_out.id
    WHERE i.id IS NOT NULL OR o.id IS NOT NULL
    """,  # noqa: S608
    f"""
    UPDATE phone_thread SET
      urgent_since = (SELECT min(t.opened_at) FROM task t WHERE t.clinic_id = phone_thread.clinic_id
        AND t.kind = 'alert' AND t.state != 'resolved'
        AND (t.phone_id = phone_thread.phone_id OR (t.phone_id IS NULL AND t.patient_id IN ({_SERVED})))),
      waiting_since = (SELECT min(i.received_at) FROM task t JOIN task_text tt ON tt.task_id = t.id
        JOIN inbound_message i ON i.id = tt.inbound_id
        WHERE t.clinic_id = phone_thread.clinic_id AND t.state != 'resolved' AND i.phone_id = phone_thread.phone_id
        AND i.received_at > coalesce(({_BY_HAND}), {_NEVER}))
    """,  # noqa: S608
    """
    UPDATE phone_thread SET state = 'open',
      rank = CASE WHEN urgent_since IS NOT NULL THEN 0 WHEN failed_at IS NOT NULL THEN 1 ELSE 2 END,
      since = coalesce(urgent_since, failed_at, waiting_since)
    WHERE urgent_since IS NOT NULL OR failed_at IS NOT NULL OR waiting_since IS NOT NULL
    """,
)


def downgrade() -> None:
    for table in ("thread_change", "thread_note", "thread_seen", "phone_thread"):
        op.drop_table(table)
