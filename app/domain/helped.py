"""Did that help? Asked after an answer, at most once a day, never beside another question or after an urgent text."""

from datetime import timedelta

from app.domain.conversation import OF_THE_PUMP, Ask, Asked
from app.domain.effects import Decision, OpenTask, RecordHelped, Remember, Reply
from app.domain.turn import Turn

ONCE_IN = timedelta(hours=24)


def may_ask(turn: Turn) -> bool:
    """Whether this phone may be asked now."""
    live = turn.sender.asked.still(turn.now)
    others = {"confirm", "choices", "triage", "helped", "helped_said", *OF_THE_PUMP}
    return not any(ask.kind in others for ask in live.asks)


def asking(asked: Asked, turn: Turn, topic: str) -> Asked:
    about = (topic, turn.understood.language)
    return Asked((*asked.asks, Ask("helped", turn.now, turn.now + ONCE_IN, topics=about)))


def not_today(asked: Asked, turn: Turn) -> Asked:
    """Nobody who texted of an emergency is asked how we did."""
    rest = asked.without("helped").without("helped_said").asks
    return Asked((*rest, Ask("helped_said", turn.now, turn.now + ONCE_IN)))


def answer(turn: Turn) -> Decision | None:
    """Record the yes or no, and have a nurse read what did not help."""
    ask = turn.sender.asked.still(turn.now).last("helped")
    if ask is None or len(ask.topics) < 2:
        return None
    topic, language, yes = ask.topics[0], ask.topics[1], turn.understood.intent == "yes"
    rest = turn.sender.asked.without("helped").asks
    asked = Asked((*rest, Ask("helped_said", ask.asked_at, ask.until, topics=ask.topics)))
    recorded = RecordHelped(topic, language, yes)
    trace = (turn.why, f"The answer {topic} {'helped' if yes else 'did not help'}: recorded")
    if yes:
        return Decision((Reply("text:helped_yes", language=language),), (recorded, Remember(asked)), trace)
    task = OpenTask("question", "phone", "says that an answer did not help")
    return Decision(
        (Reply("text:helped_no", language=language),),
        (recorded, Remember(asked), task),
        (*trace, "A nurse is asked to read it"),
    )
