"""The live stream of the staff pages."""

from flask import Response
from flask.typing import ResponseReturnValue

from app.actions.sign_in import account_behind
from app.db.pulse import texts_after
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp, time_outs
from app.web.console.gate import staff, staff_token
from app.web.console.permits import needs
from app.web.live import stream
from app.web.machine import machine_clock


@bp.get("/live")
@needs(Permission.OWN_ACCOUNT)
def live() -> ResponseReturnValue:
    """Stay open and tell the page when to fetch itself again. It keeps no session alive."""
    line, token, clock, live = current.line(), staff_token(), machine_clock(), current.live()
    simulated, last = line.channel == "simulator", time_outs()

    def still_signed_in() -> bool:
        return account_behind(line.db, token, clock(), active=False, simulated=simulated, last=last) is not None

    clinic_id, staff_id = staff().clinic.id, staff().id

    def came(text_id: int) -> tuple[int, int]:
        with line.db.read() as session:
            return texts_after(session, clinic_id, staff_id, text_id)

    beat = live.open()
    if beat is None:
        return Response(status=503, headers={"Retry-After": "60"})
    answer = Response(stream(live, beat, clinic_id, still_signed_in, came), mimetype="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"  # a proxy in front must not hold it back
    answer.call_on_close(live.close)
    return answer
