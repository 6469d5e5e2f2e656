"""Who may open which route: a view says with `@needs` what it asks for; one that says nothing is open to nobody."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.permissions import PERMISSION_WORDS, ROLE_WORDS, Permission, Role, whom_to_ask
from app.domain.permissions import may as role_may
from app.web.language import N_, tr
from app.web.language import gettext as _

View = TypeVar("View", bound=Callable[..., Any])
_NEEDS = "needs_permission"
_ONE_OF = {  # "Ask ... of your clinic"
    "nurse": N_("a nurse"),
    "lead nurse": N_("a lead nurse"),
    "administrator": N_("an administrator"),
    "auditor": N_("an auditor"),
    "read only": N_("a read only"),
}


def needs(permission: Permission) -> Callable[[View], View]:
    """Declare, under the route, what a view needs. There is no other way to open one."""

    def mark(view: View) -> View:
        setattr(view, _NEEDS, permission)
        return view

    return mark


def needed_by(view: Callable[..., Any]) -> Permission | None:
    """Return what a view declared, None for one that declared nothing."""
    found: Permission | None = getattr(view, _NEEDS, None)
    return found


def refusal_for(role: Role) -> ResponseReturnValue | None:
    """Return the page for a role that may not do what is asked, None where it may."""
    needed = needed_by(current_app.view_functions[request.endpoint or ""])
    if needed is not None and role_may(role, needed):
        return None
    title = _("Not yours to see") if request.method == "GET" else _("Not yours to do")
    page = {"title": title, "words": in_plain_words(role, needed), "to": url_for("console.today")}
    return render_template("error.html", **page), 403


def in_plain_words(role: Role, needed: Permission | None) -> str:
    """Say what the role lacks and whom to ask."""
    if needed is None:
        return _("This page is open to nobody yet. Tell whoever runs Pumpline. Nothing was changed.")
    first, *others = (tr(_ONE_OF[who]) for who in whom_to_ask(needed))
    for other in others:
        first = _("%(one)s or %(other)s", one=first, other=other)
    return _(
        'Your role here is "%(role)s"; it does not let you %(act)s. Ask %(whom)s of your clinic. Nothing was changed.',
        role=tr(ROLE_WORDS[role]),
        act=tr(PERMISSION_WORDS[needed]),
        whom=first,
    )


def may(permission: str) -> bool:
    """Whether whoever is signed in may: for pages, to leave out what would be refused."""
    return "staff" in g and role_may(g.staff.role, Permission(permission))
