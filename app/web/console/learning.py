"""Learning: what each text was taken for, a nurse's label where that was wrong, and how each answer fares."""

from dataclasses import dataclass

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.actions.label_text import label_text
from app.actions.learned import LABELLED_KINDS, TopicFigures, figures, offered
from app.db.labels import labels_of
from app.db.learning import NONE_OF_THESE
from app.db.thread import TextIn, TextOut, Thread
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.gate import access_text, staff
from app.web.console.permits import needs
from app.web.console.sign_in import own_page
from app.web.language import N_, tr
from app.web.language import gettext as _
from faq.library import GROUPS

WISHES = {
    "confirm": N_("confirms a visit"),
    "reschedule": N_("wants another day"),
    "cancel_appointment": N_("wants a visit cancelled"),
    "when_is_my_refill": N_("asks for the next visit"),
    "running_late": N_("is running late"),
    "opt_out": N_("wants no more texts"),
    "opt_in": N_("wants texts again"),
    "help": N_("asks who we are"),
    "human": N_("wants a person"),
    "thanks": N_("says thank you"),
    "wrong_number": N_("says it is a wrong number"),
    "change_language": N_("wants another language"),
    "more": N_("wants more of an answer"),
    "menu": N_("wants the list of topics"),
    "yes": N_("says yes"),
    "no": N_("says no"),
}


@dataclass(frozen=True)
class Reading:
    """What one inbound text was taken for, in plain words, and what a nurse says it was."""

    said: str
    can_label: bool
    to_form: str  # this page with the form for this text
    label: str | None = None
    labelled: str | None = None
    labelled_by: str | None = None


@dataclass(frozen=True)
class LabelForm:
    """The form for one text; `options` are topics with their titles, by group."""

    text: TextIn
    reading: Reading
    options: list[tuple[str, list[tuple[str, str]]]]


def readings(session: Session, said: Thread, page: str) -> dict[int, Reading]:
    """Return by inbound text how it was read. The texts are those of one page, whose address this is."""
    texts = [text for text in said.texts if isinstance(text, TextIn)]
    labels = labels_of(session, [text.id for text in texts])
    menus = {
        text.answers: text.body for text in said.texts if isinstance(text, TextOut) and text.text_id == "text:choices"
    }
    found = {}
    for text in texts:
        label = labels.get(text.id)
        found[text.id] = Reading(
            taken_for(text, menus.get(text.id)),
            text.kind in LABELLED_KINDS,
            f"{page}{'&' if '?' in page else '?'}label={text.id}#label",
            label.topic if label else None,
            title_of(label.topic) if label else None,
            label.by if label else None,
        )
    return found


def asked_to_label(said: Thread, read: dict[int, Reading]) -> LabelForm | None:
    """Return the form for the text that the address names, where it is on this page and can be labelled."""
    wanted = request.args.get("label", 0, type=int)
    texts = (text for text in said.texts if isinstance(text, TextIn) and text.kind in LABELLED_KINDS)
    return next((LabelForm(text, read[text.id], topics_by_group()) for text in texts if text.id == wanted), None)


def taken_for(text: TextIn, menu: str | None) -> str:
    """Say in plain words what a text was understood as. `menu`: our reply to it."""
    wish = tr(WISHES.get(text.intent or "", (text.intent or "").replace("_", " ")))
    match text.kind:
        case "urgent":
            category = tr((text.category or "").replace("_", " "))
            urgent = _("understood as: urgent, %(category)s", category=category)
            words = urgent if category else _("understood as: urgent")
        case "topic" if text.topic:
            words = _("understood as: question on %(topic)s", topic=title_of(text.topic))
        case "choices":
            titles = ", ".join(title_of(topic) for topic in offered(menu, current.line().words.library))
            several = _("understood as: one of several topics")
            words = _("understood as: one of %(topics)s", topics=titles) if titles else several
        case "admin" if wish:
            return _("understood as: %(wish)s", wish=wish)
        case _other:
            words = _("not understood")
    return _("%(meaning)s; also %(wish)s", meaning=words, wish=wish) if wish else words


def title_of(topic: str) -> str:
    """Return what staff call a topic, in the reader's language; its own word where it is in the library no more."""
    if topic == NONE_OF_THESE:
        return _("none of these")
    answer = current.line().words.library.get(topic)
    return tr(answer.title) if answer else topic


def topics_by_group() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every topic with its title, as a list to choose from shows them."""
    library = current.line().words.library
    answers = [answer for topic in library.topics if (answer := library.get(topic))]
    answers.sort(key=lambda answer: tr(answer.title))
    groups = [(tr(group), [(a.topic, tr(a.title)) for a in answers if a.group == group]) for group in GROUPS]
    return [
        *((group, topics) for group, topics in groups if topics),
        (_("Other"), [(NONE_OF_THESE, _("None of these"))]),
    ]


@bp.post("/texts/<int:inbound_id>/label")
@needs(Permission.WRITE_PATIENTS)
def label(inbound_id: int) -> ResponseReturnValue:
    signed = staff()
    access_text(signed, inbound_id)
    try:
        label_text(current.line(), inbound_id, request.form.get("topic", ""), current.now(), signed.id)
        flash(_("Labelled. It joins the examples that are reviewed before the next change of content."))
    except Refused as refusal:
        flash(_("Not labelled: %(why)s", why=tr(refusal)), "failed")
    return redirect(own_page(request.form.get("back", "")))


@bp.get("/learning")
@needs(Permission.READ_CONTENT)
def learning() -> ResponseReturnValue:
    with current.line().db.read() as session:
        rows = figures(session, staff().clinic.id)
    return render_template("console/learning.html", rows=[(title_of(row.topic), row, share(row)) for row in rows])


def share(row: TopicFigures) -> str:
    return "" if row.share is None else f"{row.share:.0%}"
