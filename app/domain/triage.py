"""One yes/no question at a time after an urgent text that says too little: each answer narrows it for the nurse.

The alert is open, and the emergency words are sent, before the first question. The first sign of danger ends it.
"""

from dataclasses import dataclass
from datetime import timedelta

from app.domain.conversation import Ask, Asked
from app.domain.effects import Decision, Effect, NoteOnAlert, RaiseAlert, Remember, Reply
from app.domain.turn import Turn

COUNTS_FOR = timedelta(hours=4)


@dataclass(frozen=True)
class Question:
    """`name`: its text is triage_NAME. A yes means `category`; `red`: then the emergency number comes first."""

    name: str
    short: str  # for the nurse, before yes or no
    category: str
    red: bool = True


QUESTIONS = (
    Question("breathing", "breathing slow or hard, or hard to wake", "breathing"),
    Question("fever", "fever or confused", "withdrawal"),
    Question("tight", "itching or tighter muscles", "withdrawal"),
    Question("sleepy", "very sleepy, limp or dizzy", "overdose"),
    Question("pump", "beep, knock, bad wound or late refill", "alarm", red=False),
)


def begin(asked: Asked, turn: Turn) -> Asked:
    """Remember that the first question is put."""
    return _asked(asked, turn, ())


def answer(turn: Turn) -> Decision | None:
    """Return what a yes or a no to the question put last leads to; None where none is open."""
    ask = turn.sender.asked.still(turn.now).last("triage")
    if ask is None or len(ask.topics) >= len(QUESTIONS):
        return None
    question = QUESTIONS[len(ask.topics)]
    yes = turn.understood.intent == "yes"
    answers = (*ask.topics, "yes" if yes else "no")
    said = so_far(answers)
    trace = (turn.why, f"Our question ({question.short}): {'yes' if yes else 'no'}")
    if yes:
        return _ends(turn, question, f"Answered yes: {question.short}. {said}", trace)
    if len(answers) == len(QUESTIONS):
        done = Reply("text:triage_done", tells_nurse=True)
        effects: tuple[Effect, ...] = (NoteOnAlert(f"May be an emergency, not clear which. {said}"), _ended(turn))
        return Decision((done,), effects, (*trace, "Nothing more to ask: the nurse has every answer"))
    note = NoteOnAlert(f"May be an emergency, not clear which. {said}")
    asked = Remember(_asked(turn.sender.asked, turn, answers))
    following = QUESTIONS[len(answers)]
    return Decision((Reply(f"text:triage_{following.name}"),), (note, asked), (*trace, "The next question"))


def again(turn: Turn) -> Decision | None:
    """Put the open question again after words that were no answer; the nurse sees them with the alert."""
    ask = turn.sender.asked.still(turn.now).last("triage")
    if ask is None or len(ask.topics) >= len(QUESTIONS):
        return None
    question = QUESTIONS[len(ask.topics)]
    asked = Remember(_asked(turn.sender.asked, turn, ask.topics))
    note = NoteOnAlert(f"May be an emergency, not clear which. {so_far(ask.topics)}".strip())
    trace = (turn.why, "No answer to our question about an emergency: put again, and kept with the alert")
    return Decision((Reply(f"text:triage_{question.name}"),), (note, asked), trace)


def so_far(answers: tuple[str, ...]) -> str:
    """The answers as a nurse reads them."""
    return "; ".join(f"{q.short}: {said}" for q, said in zip(QUESTIONS, answers, strict=False))


def _ends(turn: Turn, question: Question, reason: str, trace: tuple[str, ...]) -> Decision:
    name = "triage_red" if question.red else "triage_call"
    raised = RaiseAlert(question.category, reason)
    said = NoteOnAlert(
        reason
    )  # a milder category leaves the worse in view, and the nurse must read the yes all the same
    trace = (*trace, "A sign of danger: emergency words, and the alert is raised again")
    return Decision((Reply(f"text:{name}", urgent=True, tells_nurse=True),), (raised, said, _ended(turn)), trace)


def _ended(turn: Turn) -> Remember:
    return Remember(turn.sender.asked.without("triage"))


def _asked(asked: Asked, turn: Turn, answers: tuple[str, ...]) -> Asked:
    rest = asked.without("triage").asks
    return Asked((*rest, Ask("triage", turn.now, turn.now + COUNTS_FOR, topics=answers)))
