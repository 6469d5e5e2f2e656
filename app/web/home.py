"""The first page, and the sign of life for whatever watches this process."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from app.actions.sign_in import DEMO_EMAIL, DEMO_PASSWORD, has_demo_nurse
from app.db.pages import first_clinic
from app.web import current

bp = Blueprint("home", __name__, template_folder="templates")


@bp.get("/")
def first_page() -> ResponseReturnValue:
    with current.line().db.read() as session:
        clinic = first_clinic(session)
    simulated = current.settings().channel == "simulator"
    return render_template("home.html", clinic=clinic, simulated=simulated, demo=demo_sign_in())


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 while the database answers."""
    with current.line().db.read() as session:
        session.execute(text("SELECT 1"))
    return {"ok": True}


def demo_sign_in() -> tuple[str, str] | None:
    """Return e-mail and password of the demo nurse where she may get in: in a simulator that has her."""
    if current.settings().channel != "simulator" or not has_demo_nurse(current.line().db):
        return None
    return DEMO_EMAIL, DEMO_PASSWORD
