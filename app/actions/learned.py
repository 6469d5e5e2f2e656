"""What nurses' labels and patients' replies teach: candidate examples without identifiers, figures per topic."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.actions.remove_identifiers import TITLES, name_words, says_anything, still_identifies, without_identifiers
from app.db.learning import NONE_OF_THESE, Feedback, Label
from app.db.messages import InboundMessage
from app.db.people import Contact, Patient, Phone, Staff
from faq.context import Context
from faq.library import Library
from faq.spelling import fold, normal, words_of
from faq.understand import understand

LABELLED_KINDS = ("unknown", "choices", "topic")  # an urgent text never becomes the example of a question


@dataclass(frozen=True)
class Example:
    """One labelled text without identifiers, for review: a person decides whether it joins the content files."""

    topic: str
    language: str
    text: str
    was: str


@dataclass(frozen=True)
class Candidates:
    """`examples`: newest label last. Left out and counted: what may still identify, what holds no word, what was
    said before, and what is labelled with a topic that is there no more.
    """

    examples: tuple[Example, ...]
    identifying: int = 0
    wordless: int = 0
    repeated: int = 0
    outdated: int = 0


@dataclass(frozen=True)
class TopicFigures:
    """`helped`, `not_helped`: replies to "Did that help?". `wrong`: labels that say this answer was not the one."""

    topic: str
    helped: int = 0
    not_helped: int = 0
    wrong: int = 0

    @property
    def share(self) -> float | None:
        """Of the replies, how many said yes; None without a reply."""
        replies = self.helped + self.not_helped
        return self.helped / replies if replies else None


def understood_as(kind: str, topic: str | None, offered: Iterable[str] = ()) -> str:
    """Say what a text was taken for, in topics: "topic mri", "choices driving, travel", "unknown"."""
    if kind == "topic" and topic:
        return f"topic {topic}"
    choices = ", ".join(offered)
    return f"{kind} {choices}" if kind == "choices" and choices else kind


def offered(menu: str | None, library: Library) -> tuple[str, ...]:
    """Return the topics of a numbered menu as it was sent, in the order of their numbers."""
    sent = f" {normal(menu or '')} "
    titles = [(normal(a.title), a.topic) for answers in library.answers.values() for a in answers.values()]
    found = []
    for number in range(1, 6):
        named = ((len(title), topic) for title, topic in titles if f" {number} {title} " in sent)
        if longest := max(named, default=None):
            found.append(longest[1])
    return tuple(found)


def figures(session: Session, clinic_id: int | None = None) -> tuple[TopicFigures, ...]:
    """Return every topic that has a reply or a label against it, the worst first; of one clinic, or of all."""
    replies = select(Feedback.topic, Feedback.helped, func.count()).group_by(Feedback.topic, Feedback.helped)
    wrong = (
        select(InboundMessage.topic, func.count())
        .join(Label, Label.inbound_id == InboundMessage.id)
        .where(InboundMessage.kind == "topic", Label.topic != InboundMessage.topic)
        .group_by(InboundMessage.topic)
    )
    if clinic_id is not None:
        replies, wrong = replies.where(Feedback.clinic_id == clinic_id), wrong.where(Label.clinic_id == clinic_id)
    said = {(topic, helped): count for topic, helped, count in session.execute(replies)}
    against = {topic: count for topic, count in session.execute(wrong) if topic}
    rows = (
        TopicFigures(topic, said.get((topic, True), 0), said.get((topic, False), 0), against.get(topic, 0))
        for topic in {*against, *(topic for topic, _ in said)}
    )
    return tuple(sorted(rows, key=lambda row: (-row.wrong - row.not_helped, row.topic)))


def candidates(
    session: Session, library: Library, clinic_id: int | None = None, since: datetime | None = None
) -> Candidates:
    """Return one example a label, newest last; of texts that are equal once folded, the newest label's."""
    known = frozenset(_vocabulary(library))
    names: dict[int, frozenset[str]] = {}
    seen: set[str] = set()
    examples: list[Example] = []
    identifying = wordless = repeated = outdated = 0
    for label, body, preferred in session.execute(_labelled(clinic_id, since)):
        if label.topic != NONE_OF_THESE and label.topic not in library.topics:
            outdated += 1
            continue
        if label.clinic_id not in names:
            names[label.clinic_id] = _names(session, label.clinic_id)
        text = without_identifiers(body, names[label.clinic_id])
        key = normal(text)
        if not says_anything(text):
            wordless += 1
        elif still_identifies(text, known):
            identifying += 1
        elif key in seen:
            repeated += 1
        else:
            seen.add(key)
            language = understand(body, Context(language=preferred), library).language
            examples.append(Example(label.topic, language, text, label.was))
    return Candidates(tuple(reversed(examples)), identifying, wordless, repeated, outdated)


def _labelled(clinic_id: int | None, since: datetime | None) -> Select[Label, str, str | None]:
    query = (
        select(Label, InboundMessage.body, Phone.language)
        .join(InboundMessage, InboundMessage.id == Label.inbound_id)
        .join(Phone, Phone.id == InboundMessage.phone_id)
        .order_by(Label.labelled_at.desc(), Label.id.desc())
    )
    if clinic_id is not None:
        query = query.where(Label.clinic_id == clinic_id)
    return query.where(Label.labelled_at >= since) if since is not None else query


def _names(session: Session, clinic_id: int) -> frozenset[str]:
    """Return the words of every name the clinic knows: patients, contacts, staff. Names are opened one by one."""
    patients = select(Patient.given_name, Patient.family_name).where(Patient.clinic_id == clinic_id)
    carers = select(Contact.name).join(Patient, Patient.id == Contact.patient_id).where(Patient.clinic_id == clinic_id)
    staff = select(Staff.name).where(Staff.clinic_id == clinic_id)
    of_patients = name_words(name for row in session.execute(patients).yield_per(1000) for name in row)
    of_others = name_words([*session.scalars(carers), *session.scalars(staff)])
    return of_patients | (of_others - TITLES)


def _vocabulary(library: Library) -> Iterator[str]:
    """Yield the words of the reviewed answers: none of them is taken for somebody's name."""
    for answers in library.answers.values():
        for answer in answers.values():
            yield from words_of(fold(" ".join((answer.title, answer.short, answer.more or ""))))
            yield from words_of(fold(" ".join((*answer.phrases, *answer.keywords))))
    for question, _ in library.questions.values():
        yield from words_of(fold(question))
