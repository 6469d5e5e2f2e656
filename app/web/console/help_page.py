"""Help: whom to call first, what each page is for, what the signs mean, the keys, and whom to ask."""

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.db.people import Staff
from app.domain.permissions import ROLE_WORDS, Permission, Role
from app.web import current
from app.web.console import bp
from app.web.console.gate import staff
from app.web.console.permits import needs

_ASKED = (Role.LEAD_NURSE, Role.ADMINISTRATOR)


@bp.get("/help")
@needs(Permission.OWN_ACCOUNT)
def help_page() -> ResponseReturnValue:
    with current.line().db.read() as session:
        rows = session.execute(
            select(Staff.name, Staff.role)
            .where(Staff.clinic_id == staff().clinic.id, Staff.active.is_(True), Staff.role.in_(_ASKED))
            .order_by(Staff.role, Staff.name)
        ).all()
    return render_template("console/help.html", people=[(name, ROLE_WORDS[role]) for name, role in rows])
