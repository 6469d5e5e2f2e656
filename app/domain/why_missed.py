"""Why a refill visit was missed, in the patient's own digit or word, and what the clinic offers for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

REASONS = ("ride", "ill", "cost", "weather", "other")  # by digit, 1 to 5
OFFERS = ("transport", "home_refill", "earlier_slot", "nurse_call")  # why_OFFER is the text of each
DEFAULT_OFFERS: Mapping[str, str] = {
    "ride": "nurse_call",
    "cost": "nurse_call",
    "weather": "earlier_slot",
    "other": "nurse_call",
}


@dataclass(frozen=True)
class Offers:
    """What a clinic offers by reason. Who was ill is never offered anything but a call now."""

    by_reason: Mapping[str, str]
    transport_phone: str = ""  # as a patient reads it

    def of(self, reason: str) -> str:
        """Return the offer for a reason; a nurse's call where the clinic set nothing, or has no transport desk."""
        offer = self.by_reason.get(reason) or DEFAULT_OFFERS.get(reason, "nurse_call")
        if reason == "ill" or offer not in OFFERS or (offer == "transport" and not self.transport_phone):
            return "nurse_call"
        return offer


_WAS = r"(?:(?:i|he|she|we|they)(?: was| were| am| is|m| felt)? )?(?:(?:was|were|felt|too|very|feeling) ){0,3}"
_ESTABA = r"(?:me )?(?:(?:estaba|estuve|sentia|sentía|senti|sentí|muy) ){0,2}"
_WORDS = (
    ("ill", rf"(?:{_WAS}(?:ill|sick|unwell|not well))|(?:{_ESTABA}(?:enferm[oa]|mal))"),
    ("ride", r"(?:no )?(?:ride|car|transport(?:ation|e)?|lift|viaje|carro)"),
    ("cost", r"(?:the )?(?:cost|money|costo|dinero|insurance|seguro)"),
    ("weather", r"(?:the )?(?:weather|snow|storm|clima|tiempo|nieve|tormenta)"),
    ("other", r"(?:something )?(?:else|other)|otr[oa](?: cosa)?"),
)


def reason_in_words(text: str) -> str | None:
    """Return the reason where the whole text is its name: "no ride", "weather"."""
    said = " ".join(re.findall(r"[^\W\d_]+", text.casefold()))
    return next((reason for reason, words in _WORDS if re.fullmatch(words, said)), None)
