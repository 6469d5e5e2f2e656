"""What the migration makes of the texts there are is what keeping in step would have made."""

from sqlalchemy import select

from app.actions.line import Line
from app.db.migrate import migrate
from app.db.threads import REST, PhoneThread
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.inbox_stage import NONSENSE, Add, Text


def test_threads_are_filled_from_the_texts_there_are(
    line: Line, maria: Someone, add_patient: Add, texts: Text, desk: Desk, clock: FrozenClock
) -> None:
    desk.adds_carer(maria, "+16145550166", name="Dana", relation="wife")
    quiet = add_patient("Grace", "+16145550150")
    texts(maria.phone, NONSENSE)
    clock.forward(minutes=1)
    texts(maria.phone, "and more")
    texts("+16145550166", "hes super itchy n twitchy since last nite")
    texts(quiet.phone, "TRAVEL")
    kept = (
        PhoneThread.phone_id,
        PhoneThread.state,
        PhoneThread.rank,
        PhoneThread.since,
        PhoneThread.last_in_id,
        PhoneThread.last_out_id,
        PhoneThread.last_at,
        PhoneThread.waiting_since,
        PhoneThread.urgent_since,
        PhoneThread.language,
    )

    def waiting() -> set[tuple[object, ...]]:
        with line.db.read() as session:
            return {tuple(row) for row in session.execute(select(*kept).where(PhoneThread.rank < REST))}

    before = waiting()
    assert len(before) == 2
    migrate(line.db, "0004")
    migrate(line.db)
    assert waiting() == before
    with line.db.read() as session:
        others = session.execute(select(PhoneThread.phone_id, PhoneThread.state).where(PhoneThread.rank == REST))
        assert {phone_id: state.value for phone_id, state in others} == {quiet.phone_id: "closed"}
