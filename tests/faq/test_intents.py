import pytest

from faq.context import Context
from faq.intents import CARRIER_OPT_OUT, intent, opt_out
from faq.library import Library

AFTER_REMINDER = Context(asked="confirm")

WITHOUT_CONTEXT: dict[str | None, str] = {
    "opt_out": "STOP|stop.|Stop!| stop |STOPALL|cancel|END|quit|Revoke|optout|opt out|OPT-OUT|ARRET|Alto|basta|"
    "PARAR|stop please|"
    "please stop|STOP STOP STOP|stop texting me|stop messaging me|stop sending me these messages|unsubscribe me|"
    "unsubcribe|take me off this list|please remove me from your list|no more texts|no more reminders please|"
    "dont text me again|don't text me again|don’t text me again|do not want these texts|"
    "i dont want any more messages|"
    "quit texting me|leave me alone|no mas mensajes|no más mensajes|no me escriban mas|"
    "dejen de mandarme mensajes|sotp",
    None: "stop the pain|"
    "my pump stopped|when does it end|can i stop taking tablets|how do i stop withdrawal|1|2|yes|no|"
    "do you text my doctor|the end of my tube|does it stop spasms|what if i cant make it to the refill|asdf||   |\0",
    "cancel_appointment": "cancel my visit|cancel my appointment please|cancel tomorrow|cancelar mi cita",
    "reschedule": "can't make it|can’t make it|need to reschedule|can I move my appointment|cant come thursday|"
    "need another day|"
    "i need a different day|no puedo ir|cambiar mi cita",
    "when_is_my_refill": "when is my refill|whens my next refill|when is my appointment|what time is my appt|"
    "cuando es mi cita",
    "running_late": "running late|im gonna be 10 min late|stuck in traffic|voy a llegar tarde",
    "opt_in": "START|start|unstop|resume texts|start texting me",
    "help": "HELP|info|ayuda|help please",
    "human": "nurse|talk to a nurse|can someone call me|i want to speak to a real person|are you a robot|llameme",
    "thanks": "thanks|thank you so much|ok|ok thanks|gracias|👍|🙏",
    "wrong_number": "wrong number|who is this|numero equivocado",
    "change_language": "espanol|español|in spanish please|english",
    "menu": "MENU|menu please",
    "more": "MORE|more|mas|more please",
}
AFTER_A_REMINDER = {
    "confirm": "1|1.|one|yes|y|YES!|yes please|ok|ok i'll be there|ok i’ll be there|ill be there|see you then|"
    "sounds good|👍|si|sí|"
    "confirmo|1 thanks|ok thanks|ahi estare",
    "reschedule": "2|2 please|two|can't make it|cant come|need another day|reschedule|no puedo|no|"
    "yes but i need another day",
    "opt_out": "STOP|cancel|please stop",
    "cancel_appointment": "cancel my appointment",
    "when_is_my_refill": "what time is my appointment",
}


def pairs(table: dict[str | None, str]) -> list[tuple[str | None, str]]:
    return [(name, text) for name, texts in table.items() for text in texts.split("|")]


@pytest.mark.parametrize(("name", "text"), pairs(WITHOUT_CONTEXT))
def test_what_is_asked_without_a_question_of_ours(name: str | None, text: str) -> None:
    found = intent(text)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(("name", "text"), pairs({**AFTER_A_REMINDER}))
def test_what_is_answered_to_a_reminder(name: str | None, text: str) -> None:
    found = intent(text, AFTER_REMINDER)
    assert (found.name if found else None) == name


@pytest.mark.parametrize("word", sorted(CARRIER_OPT_OUT))
def test_a_carrier_s_own_word_is_formal_in_any_case(word: str) -> None:
    for written in (word, word.upper(), word.title(), f" {word}\n"):
        found = opt_out(written)
        assert found is not None
        assert found.formal


@pytest.mark.parametrize("text", ["stop please", "stop texting me", "opt out", "parar", "stop.", "please stop", "sotp"])
def test_an_opt_out_carriers_do_not_act_on_is_not_formal(text: str) -> None:
    found = opt_out(text)
    assert found is not None
    assert not found.formal


def test_no_question_of_the_library_is_taken_for_an_errand(library: Library) -> None:
    known = [phrase for answer in library.answers["en"].values() for phrase in answer.phrases]
    known += [question for question, _ in library.questions.values()]
    assert [text for text in known if intent(text)] == []
