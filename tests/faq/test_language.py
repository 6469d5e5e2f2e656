import pytest

from faq.language import detect


@pytest.mark.parametrize(
    "text",
    [
        "when is my refill",
        "my pump is beeping",
        "thanks",
        "can i fly",
        "does it hurt?",
        "stop texting me",
        "yes please",
    ],
)
def test_english(text: str) -> None:
    assert detect(text) == detect(text, "en") == "en"


@pytest.mark.parametrize(
    "text",
    [
        "no puedo respirar",
        "¿cuándo es mi cita?",
        "mi bomba esta pitando",
        "gracias",
        "puedo viajar con la bomba",
        "no más mensajes",
        "español",
        "mi hijo no se despierta",
        "sobredosis",
    ],
)
def test_spanish(text: str) -> None:
    assert detect(text) == detect(text, "es") == "es"


@pytest.mark.parametrize("text", ["", "1", "👍", "MRI", "xyzzy"])
def test_where_words_do_not_tell_the_person_s_language_stays(text: str) -> None:
    assert detect(text, "es") == "es"
    assert detect(text, "en") == "en"
    assert detect(text) == "en"


def test_a_clear_text_outweighs_the_preference() -> None:
    assert detect("what do i have to do when i travel", "es") == "en"
    assert detect("que tengo que hacer si quiero viajar", "en") == "es"
