"""A third language is a folder of answers, a file of texts and a word list: Esperanto, beside the code as it is.

The parts that read languages are copied with nothing changed in them, the files are added, and another Python runs
the copy: no test can do that in the process that has read the shipped languages already.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .content_folder import ALARM, BATTERY, TRAVEL, translated, write_content

ROOT = Path(__file__).parent.parent.parent

WORDS = """name: Esperanto
also_called: [esperanto]
words: >-
  chu mi povas vojaghi flugi kun la mia pumpilo kiam estas kiel longe dauras baterio kio signifas sono dankon bonvolu
  helpo vizito morgau hodiau ne jes
shorthand: {bv: bonvolu}
negations: [ne, neniam]
breaks: [sed]
"""
TITLES = {"Travel with a pump": "Vojagho", "Pump alarm": "Alarmo", "Battery life": "Baterio"}
ANSWERS = {
    "travel": TRAVEL.replace("[TRAVEL, TRIP]", "[VOJAGHO, FLUGO]")
    .replace("can i fly with my pump", "chu mi povas flugi kun mia pumpilo")
    .replace("going on holiday with the pump", "mi volas vojaghi kun la pumpilo")
    .replace("Call {phone} before you go away.", "Voku {phone} antau la vojagho.")
    .replace("for what to pack", "pri la valizo")
    .replace("Pack your pump card.", "Kunportu la karton de la pumpilo."),
    "alarm": ALARM.replace("[ALARM]", "[ALARMO, SONO]")
    .replace("how loud is the pump alarm", "kiel laute sonas la alarmo")
    .replace("what does the beep mean", "kion signifas la sono de la pumpilo")
    .replace("Call {phone} now for any beep.", "Voku {phone} tuj pro chiu sono.")
    .replace("for what to pack", "pri la sonoj")
    .replace("Pack your pump card.", "La sono estas mallauta."),
    "battery": BATTERY.replace("[BATTERY]", "[BATERIO]")
    .replace("when does the battery run out", "kiam elcherpighas la baterio")
    .replace("how many years does a pump battery have", "kiel longe dauras la baterio de la pumpilo")
    .replace("Call {phone} before you go away.", "Voku {phone} por demandi.")
    .replace("for what to pack", "por pli")
    .replace("Pack your pump card.", "La baterio dauras jarojn."),
}
CHANGED = {"Call us": "Voku nin", "Call ": "Voku ", "Thank you": "Dankon", "You are welcome": "Ne dankinde"}

ASKS = """
import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from app.actions.render import menu, render_reply
from app.domain.effects import Sender
from app.domain.inbound import decide
from app.domain.texts import ClinicVoice, load_words
from faq.checks import check
from faq.context import Context
from faq.keywords import keyword
from faq.language import clear, detect, wanted
from faq.languages import languages
from faq.understand import understand

words = load_words()
library = words.library
clinic = ClinicVoice("Oak", "614-555-0100", "614-555-0101", "911", ZoneInfo("America/New_York"), "988")
now = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def understood(text, preferred=None):
    found = understand(text, Context(language=preferred), library)
    return {"kind": found.kind, "topic": found.topic, "language": found.language, "why": found.why}


def replies(text, language=None):
    sender = Sender(language=language)
    found = understand(text, Context(language=language), library)
    decided = decide(found, text, sender, library, now)
    done = [effect.language for effect in decided.effects if type(effect).__name__ == "RememberLanguage"]
    said = [
        rendered.body
        for reply in decided.replies
        for rendered in render_reply(
            reply, words, clinic, found.language, paged=False, visits=(), asks={}, shared=False, link="https://x.example/"
        )
    ]
    return {"said": said, "remembered": done}


QUESTION = "Chu mi povas vojaghi kun la pumpilo?"
print(json.dumps({
    "languages": [library.languages, sorted(words.voices), sorted(languages())],
    "findings": [str(finding) for finding in check(library, date(2026, 11, 22))],
    "detect": {
        text: detect(text)
        for text in (QUESTION, "kiel longe dauras la baterio", "dankon", "when is my refill", "puedo nadar hoy")
    },
    "undecided": detect("1", "eo"),
    "clear": clear(QUESTION, "eo"),
    "wanted": wanted("esperanto bonvolu", "en"),
    "keyword": {
        word: (hit.topic, hit.language) if (hit := keyword(word, library, "eo")) else None
        for word in ("BATERIO", "baterjo", "BATTERY")
    },
    "keyword from English": (hit.topic, hit.language) if (hit := keyword("BATERIO", library, "en")) else None,
    "word for word": understood("mi volas vojaghi kun la pumpilo"),
    "alike": understood("kiel longe dauras la baterio en pumpilo"),
    "wished": understood("esperanto bonvolu"),
    "question": replies(QUESTION),
    "by keyword": replies("BATERIO"),
    "switched": replies("esperanto bonvolu"),
    "thanks": replies("thanks", "eo"),
    "menu": [page.body for page in menu(words, clinic, "eo")],
    "more": words.answer("travel", clinic, "eo", more=True).body,
    "day": words.voice("eo").day(now, ZoneInfo("America/New_York")),
    "urgent": replies("Bonvolu helpo, mia pumpilo: ALARM", "eo"),
}))
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code as it is, three topics in English, and Esperanto."""
    place = tmp_path_factory.mktemp("three") / "house"
    unneeded = shutil.ignore_patterns("__pycache__", "answers", "examples", "static", "templates")
    for part in ("faq", "app", "scheduler"):
        shutil.copytree(ROOT / part, place / part, ignore=unneeded)
    content = write_content(place / "faq")
    content.answer("travel", "eo").parent.mkdir()
    for topic, answer in ANSWERS.items():
        for english, esperanto in TITLES.items():
            answer = answer.replace(f"title: {english}", f"title: {esperanto}")
        content.answer(topic, "eo").write_text(translated(answer), encoding="utf-8")
    (place / "faq" / "languages" / "eo.yaml").write_text(WORDS, encoding="utf-8")
    write_texts(place / "app" / "texts")
    return place


def write_texts(folder: Path) -> None:
    """The texts of the system: the English file with some words changed."""
    voice = yaml.safe_load((folder / "en.yaml").read_text("utf-8"))
    voice |= {
        "language": "eo",
        "translation": "awaiting qualified review",
        "days": ["lun", "mar", "mer", "jhau", "ven", "sab", "dim"],
        "day": "{weekday} {date} {month}",
        "groups": {"Urgent": "Urghe", "My pump": "Mia pumpilo", "Out and about": "Ekstere"},
    }
    for entry in voice["texts"].values():
        for english, esperanto in CHANGED.items():
            entry["text"] = entry["text"].replace(english, esperanto)
    voice["texts"]["language_set"]["text"] = "De nun ni skribas en Esperanto. For English, reply ENGLISH."
    (folder / "eo.yaml").write_text(yaml.safe_dump(voice, allow_unicode=True), encoding="utf-8")


def run(house: Path, source: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", source]
    return subprocess.run(command, cwd=house, input=given, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def says(house: Path) -> dict[str, Any]:
    """What the copied house makes of Esperanto."""
    done = run(house, ASKS)
    assert done.returncode == 0, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_answers_the_texts_and_the_words_are_found(says: dict[str, Any]) -> None:
    assert says["languages"] == [["en", "eo"], ["en", "eo", "es"], ["en", "eo", "es"]]


def test_its_answers_pass_every_check(says: dict[str, Any]) -> None:
    assert says["findings"] == []


def test_a_text_in_it_is_known_for_it_and_the_others_stay_what_they_were(says: dict[str, Any]) -> None:
    assert says["detect"] == {
        "Chu mi povas vojaghi kun la pumpilo?": "eo",
        "kiel longe dauras la baterio": "eo",
        "dankon": "eo",
        "when is my refill": "en",
        "puedo nadar hoy": "es",
    }


def test_where_words_do_not_tell_whoever_writes_it_keeps_it(says: dict[str, Any]) -> None:
    assert says["undecided"] == "eo"


def test_a_few_words_in_it_are_enough_to_remember_it(says: dict[str, Any]) -> None:
    assert says["clear"] is True
    assert says["question"]["remembered"] == ["eo"]


def test_its_keywords_lead_to_its_answers_a_slip_included(says: dict[str, Any]) -> None:
    assert says["keyword"]["BATERIO"] == ["battery", "eo"]
    assert says["keyword"]["baterjo"] == ["battery", "eo"]
    assert says["keyword"]["BATTERY"] == ["battery", "en"]
    assert says["keyword from English"] == ["battery", "eo"]


def test_a_phrase_of_an_answer_leads_to_it_word_for_word(says: dict[str, Any]) -> None:
    assert (says["word for word"]["topic"], says["word for word"]["language"]) == ("travel", "eo")


def test_a_question_like_the_phrases_leads_to_the_answer(says: dict[str, Any]) -> None:
    assert (says["alike"]["kind"], says["alike"]["topic"], says["alike"]["language"]) == ("topic", "battery", "eo")


def test_a_question_is_answered_in_it(says: dict[str, Any]) -> None:
    assert says["question"]["said"] == ["Voku 614-555-0100 antau la vojagho. Reply MORE pri la valizo."]
    assert says["more"] == "Kunportu la karton de la pumpilo."


def test_a_keyword_is_answered_in_it(says: dict[str, Any]) -> None:
    assert says["by keyword"]["said"][0].startswith("Voku 614-555-0100 por demandi.")


def test_asking_for_it_by_its_name_switches_to_it(says: dict[str, Any]) -> None:
    assert says["wanted"] == "eo"
    assert says["switched"]["remembered"] == ["eo"]
    assert says["switched"]["said"] == ["De nun ni skribas en Esperanto. For English, reply ENGLISH."]


def test_the_menu_is_in_it(says: dict[str, Any]) -> None:
    [page] = says["menu"]
    for part in ("Urghe: ALARMO.", "Mia pumpilo: BATERIO.", "Ekstere: VOJAGHO."):
        assert part in page


def test_a_day_is_written_its_way(says: dict[str, Any]) -> None:
    assert says["day"] == "lun 23 Nov"


def test_an_urgent_text_gets_its_emergency_words(says: dict[str, Any]) -> None:
    assert says["urgent"]["said"][0].startswith("Voku nin now, day or night: 614-555-0100")


def test_nothing_in_the_code_names_it() -> None:
    named = [
        str(path.relative_to(ROOT))
        for part in ("app", "faq", "scheduler", "tools")
        for path in (ROOT / part).rglob("*.py")
        if re.search(r"esperanto|[\"']eo[\"']", path.read_text("utf-8"), re.IGNORECASE)
    ]
    assert named == []


def test_pumpline_understand_takes_a_line_in_it(house: Path) -> None:
    source = "from app.commands.understand import understand_lines; understand_lines()"
    done = run(house, source, '{"id": 1, "text": "BATERIO", "lang": "eo"}\n')
    assert done.stderr == ""
    assert json.loads(done.stdout)["topic"] == "battery"


def test_a_patient_list_may_say_that_somebody_reads_it(house: Path) -> None:
    source = (
        "from datetime import UTC, datetime\n"
        "from zoneinfo import ZoneInfo\n"
        "from app.integrations.csv_columns import RowReader\n"
        "reader = RowReader('US', ZoneInfo('America/New_York'), datetime(2026, 11, 23, tzinfo=UTC))\n"
        "_, problems = reader.read({'language': 'eo'})\n"
        "print([problem for problem in problems if problem[0] == 'language'])"
    )
    done = run(house, source)
    assert done.stdout.strip() == "[]", done.stderr[-300:]


def test_the_staff_pages_call_it_by_its_name(house: Path) -> None:
    done = run(house, "from app.web.wording import language; print(language('eo'))")
    assert done.stdout.strip() == "Esperanto", done.stderr[-300:]
