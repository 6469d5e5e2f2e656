"""A patient who was erased leaves pages that open and name nobody."""

from collections.abc import Callable

from sqlalchemy import update

from app.actions.erase_patient import erase_patient
from app.actions.line import Line
from app.actions.receive_text import Received
from app.db.messages import OutboundMessage
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import Visitor


def test_every_page_about_an_erased_patient_opens_and_names_nobody(
    line: Line,
    clock: FrozenClock,
    nurse: Visitor,
    desk: Desk,
    add_patient: Callable[..., Someone],
    texts: Callable[..., Received],
) -> None:
    someone = add_patient("Wilhelmina", "+16145559876", family_name="Quackenbush")
    desk.adds_carer(someone, "+16145554321", name="Ottokar")
    desk.fills(someone, 10)
    texts(someone.phone, "my zebra ate the manual")
    with line.db.begin() as session:
        session.execute(update(OutboundMessage).values(state=DeliveryState.DELIVERED))
    erase_patient(line, someone.id, clock(), "test", pump_in_use_is_known=True)
    about, phone = f"/staff/patients/{someone.id}", f"/staff/phones/{someone.phone_id}"
    for path in (
        *(about + page for page in ("", "/pump", "/timeline", "/contacts", "/details")),
        *(phone, f"/staff/inbox/{someone.phone_id}", "/staff/inbox", "/staff/inbox?tab=closed", "/staff/"),
        *("/staff/patients", "/staff/patients?state=left", "/staff/refills", "/staff/schedule"),
    ):
        page = nurse.page(path)
        assert not [s for s in ("Wilhelmina", "Quackenbush", "9876", "4321", "zebra", "Ottokar") if s in page], path
