"""A small content folder of its own, so that a test can break one thing and see what is said about it."""

from dataclasses import dataclass
from pathlib import Path

QUESTIONS = """number,question,topic
1,Can I travel with the pump?,travel
2,What does a pump alarm sound like?,alarm
3,"How long will the battery last, roughly?",battery
"""
SOURCES = "S1: {title: A leaflet, publisher: A clinic, year: n.d., url: 'https://example.org/leaflet'}\n"

TRAVEL = """---
topic: travel
title: Travel with a pump
group: Out and about
keywords: [TRAVEL, TRIP]
questions: [1]
related: [battery]
phrases:
  - can i fly with my pump
  - going on holiday with the pump
sources: [S1]
awaiting_clinical_review: []
version: 1
state: draft
reviewed_on: 2026-11-01
reviewed_by: The content team
review_by: 2027-05-01
---
Call {phone} before you go away. Reply MORE for what to pack.

---more---
Pack your pump card.
"""
ALARM = (
    TRAVEL.replace("topic: travel", "topic: alarm")
    .replace("title: Travel with a pump", "title: Pump alarm")
    .replace("group: Out and about", "group: Urgent")
    .replace("[TRAVEL, TRIP]", "[ALARM]")
    .replace("[1]", "[2]")
    .replace("can i fly with my pump", "how loud is the pump alarm")
    .replace("going on holiday with the pump", "what does the beep mean")
    .replace("before you go away", "now for any beep")
)
BATTERY = (
    TRAVEL.replace("topic: travel", "topic: battery")
    .replace("title: Travel with a pump", "title: Battery life")
    .replace("group: Out and about", "group: My pump")
    .replace("[TRAVEL, TRIP]", "[BATTERY]")
    .replace("[1]", "[3]")
    .replace("[battery]", "[travel]")
    .replace("can i fly with my pump", "when does the battery run out")
    .replace("going on holiday with the pump", "how many years does a pump battery have")
)


def translated(answer: str, of_version: int = 1) -> str:
    """Return an answer's file as its translation must be marked."""
    marks = f"translation: awaiting qualified review\ntranslates: {of_version}\n"
    return answer.replace("state: draft\n", f"state: draft\n{marks}")


@dataclass(frozen=True)
class ContentFolder:
    path: Path

    def answer(self, topic: str, language: str = "en") -> Path:
        return self.path / "answers" / language / f"{topic}.md"

    def change(self, old: str, new: str, topic: str = "travel") -> None:
        file = self.answer(topic)
        text = file.read_text(encoding="utf-8")
        assert old in text, f"the fixture has no {old!r}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")


def write_content(path: Path) -> ContentFolder:
    folder = ContentFolder(path)
    folder.answer("travel").parent.mkdir(parents=True)
    for topic, text in (("travel", TRAVEL), ("alarm", ALARM), ("battery", BATTERY)):
        folder.answer(topic).write_text(text, encoding="utf-8")
    (path / "questions.csv").write_text(QUESTIONS, encoding="utf-8")
    (path / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    return folder
