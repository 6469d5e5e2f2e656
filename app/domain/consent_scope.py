"""What a phone may be told about a patient, as the patient agreed to it: for the record and in words."""

from dataclasses import dataclass

LONGEST_NAME = 80
LONGEST_EVIDENCE = 500
# how the patient agreed, as the form offers it
WAYS = {
    "in_person": "said so in person",
    "by_phone": "said so by phone",
    "signed": "signed a form",
}


@dataclass(frozen=True)
class Scope:
    """`missed` counts for carers alone: the patient knows of a missed visit."""

    reminders: bool
    missed: bool

    @property
    def kept(self) -> str:
        """Return it as the history of consent keeps it."""
        told = [word for word, on in (("reminders", self.reminders), ("missed", self.missed)) if on]
        return " ".join(told) or "nothing"

    @property
    def said(self) -> str:
        """Return it in words: "Reminders of visits, and that a visit was missed"."""
        return in_words(self.kept)


def in_words(kept: str | None) -> str:
    words = (kept or "").split()
    if "reminders" in words and "missed" in words:
        return "Reminders of visits, and that a visit was missed"
    if "reminders" in words:
        return "Reminders of visits"
    if "missed" in words:
        return "Only that a visit was missed"
    return "Nothing by itself"
