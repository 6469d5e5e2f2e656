"""How a phone call ended, as staff write it down."""

from enum import StrEnum


class Outcome(StrEnum):
    SPOKE = "spoke"
    SPOKE_CARER = "spoke_carer"
    MESSAGE = "message"
    NO_ANSWER = "no_answer"
    CALLED_US = "called_us"


OUTCOME_WORDS = {
    Outcome.SPOKE: "called and spoke with the patient",
    Outcome.SPOKE_CARER: "called and spoke with a carer",
    Outcome.MESSAGE: "called and left a message",
    Outcome.NO_ANSWER: "called, no answer",
    Outcome.CALLED_US: "was called by the patient or a carer",
}
