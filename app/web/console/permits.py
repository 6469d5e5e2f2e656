"""Who may open which route: a view says with `@needs` what it asks for; one that says nothing is open to nobody."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.permissions import PERMISSION_WORDS, ROLE_WORDS, Permission, Role, whom_to_ask
from app.domain.permissions import may as role_may

View = TypeVar("View", bound=Callable[..., Any])
_NEEDS = "needs_permission"


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
    title = "Not yours to see" if request.method == "GET" else "Not yours to do"
    page = {"title": title, "words": in_plain_words(role, needed), "to": url_for("console.today")}
    return render_template("error.html", **page), 403


def in_plain_words(role: Role, needed: Permission | None) -> str:
    """Say what the role lacks and whom to ask."""
    if needed is None:
        return "This page is open to nobody yet. Tell whoever runs Pumpline. Nothing was changed."
    asked = " or ".join(f"{'an' if who[0] in 'aeiou' else 'a'} {who}" for who in whom_to_ask(needed))
    role_said = f'Your role here is "{ROLE_WORDS[role]}"; it does not let you {PERMISSION_WORDS[needed]}.'
    return f"{role_said} Ask {asked} of your clinic. Nothing was changed."


def may(permission: str) -> bool:
    """Whether whoever is signed in may: for pages, to leave out what would be refused."""
    return "staff" in g and role_may(g.staff.role, Permission(permission))
