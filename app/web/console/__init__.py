"""The staff pages: who is signed in, what stands on every page, and the pages themselves."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.actions.sign_in import TimeOuts, account_behind
from app.domain.permissions import Permission
from app.web import current
from app.web.console.every_page import around_page
from app.web.console.gate import Signed, session_now, staff, staff_token
from app.web.console.permits import may, refusal_for
from app.web.console.reading import in_strip, no_more_gaps, show_gaps, write_reads

bp = Blueprint("console", __name__, url_prefix="/staff", template_folder="../templates")

FIRST_PAGE_WITHOUT_PATIENTS = "console.accounts"  # where a role lands that sees no patient
OPEN_TO_ALL = {
    "console.sign_in_page",
    "console.sign_in_form",
    "console.choose_language",
    "console.begin_passkey_sign_in",
    "console.passkey_sign_in",
    "console.invitation",
    "console.take_up_invitation",
    "console.single_sign_on",
    "console.single_sign_on_back",
}
HALF_WAY = {"console.second_step", "console.second_step_form", "console.leave_second_step"}
BEFORE_ENROLLED = {  # what is open to whoever still has to set up a second factor
    "console.authenticator",
    "console.authenticator_picture",
    "console.confirm_own_authenticator",
    "console.begin_passkey",
    "console.register_passkey",
    "console.sign_out_form",
}


bp.add_app_template_global(may, "may")
bp.after_request(write_reads)
bp.before_request(show_gaps)
bp.teardown_request(no_more_gaps)


@bp.before_request
def know_who_asks() -> ResponseReturnValue | None:
    """Let nobody in without a session, and nobody further than the role goes.

    A page that refreshes itself does not keep a session alive.
    """
    if request.endpoint in OPEN_TO_ALL:
        return None
    refreshes_itself = request.method == "GET" and (
        "HX-Request" in request.headers or request.endpoint == "console.live"
    )
    token = staff_token()
    g.live_mark = current.live().mark()  # before anything is read
    line = current.line()
    known = None
    if token:
        known = account_behind(
            line.db,
            token,
            session_now(),
            active=not refreshes_itself,
            simulated=line.channel == "simulator",
            last=time_outs(),
        )
    if known is None:
        return _to_the_door(refreshes_itself)
    assert known.clinic is not None
    g.staff, g.account = Signed(known.staff_id, known.name, known.role, known.clinic), known
    if known.pending and request.endpoint not in HALF_WAY:
        return _onward("console.second_step", refreshes_itself)
    if must_have_second_factor() and request.endpoint not in BEFORE_ENROLLED:
        return _onward("console.authenticator", refreshes_itself)
    if request.endpoint == "console.today" and not may(Permission.READ_PATIENTS):
        return redirect(url_for(FIRST_PAGE_WITHOUT_PATIENTS))
    return refusal_for(known.role)


def must_have_second_factor() -> bool:
    """Whether whoever asks has to set one up before anything else."""
    mine = g.account
    return (
        not mine.pending
        and not mine.strong
        and not mine.has_second_factor
        and mine.role in current.settings().asks_second_factor_of
    )


def time_outs() -> TimeOuts:
    settings = current.settings()
    return TimeOuts(timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours))


def _onward(endpoint: str, refreshes_itself: bool) -> ResponseReturnValue:
    if refreshes_itself:
        return Response(status=401, headers={"HX-Redirect": url_for(endpoint)})
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for(endpoint, next=wanted if endpoint == "console.second_step" else None))


def _to_the_door(refreshes_itself: bool) -> ResponseReturnValue:
    where = request.full_path.rstrip("?") if request.method == "GET" else url_for("console.today")
    door = f"{url_for('console.sign_in_page')}?{urlencode({'next': where})}"
    if refreshes_itself:
        return Response(status=401, headers={"HX-Redirect": door})
    return redirect(door)


@bp.context_processor
def around() -> dict[str, Any]:
    """What every staff page shows around its own content."""
    if "staff" not in g:
        return {}
    found = around_page(staff(), current.line(), now())
    if not may(Permission.READ_PATIENTS):
        return found | {"urgent_tasks": ()}
    in_strip(task.person.id for task in found["urgent_tasks"] if task.person)
    return found


def now() -> datetime:
    return current.now()


from app.web.console import (  # noqa: E402
    audit_pages,  # noqa: F401
    colleagues,  # noqa: F401
    contacts,  # noqa: F401
    content,  # noqa: F401
    help_page,  # noqa: F401
    import_acts,  # noqa: F401
    imports,  # noqa: F401
    inbox,  # noqa: F401
    inbox_acts,  # noqa: F401
    inbox_texts,  # noqa: F401
    learning,  # noqa: F401
    own_account,  # noqa: F401
    passkey_pages,  # noqa: F401
    patient_details,  # noqa: F401
    patient_export,  # noqa: F401
    patient_list,  # noqa: F401
    patient_new,  # noqa: F401
    patients,  # noqa: F401
    phones,  # noqa: F401
    pump_entries,  # noqa: F401
    pumps,  # noqa: F401
    refill_day,  # noqa: F401
    refills,  # noqa: F401
    retention,  # noqa: F401
    schedule,  # noqa: F401
    schedule_days,  # noqa: F401
    schedule_visits,  # noqa: F401
    second_step,  # noqa: F401
    sign_in,  # noqa: F401
    single_sign_on,  # noqa: F401
    stream,  # noqa: F401
    tasks,  # noqa: F401
    timeline,  # noqa: F401
    today,  # noqa: F401
    visits,  # noqa: F401
)
