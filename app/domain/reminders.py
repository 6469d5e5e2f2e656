"""What a due reminder says, and to whom it may go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.domain.texts import ClinicVoice, Rendered, Words
from faq.segments import measure
from scheduler.ladders import LAST, SOON, Rung, rung_for

MISSED_TOPIC = "missed-refill"
TWO_SEGMENTS = 2
ASKS_AGAIN = "ladder:2"


@dataclass(frozen=True)
class Target:
    """One phone that is to hear about a visit: how many patients it `serves`, and whether it is a carer's."""

    phone_id: int
    opted_out: bool
    language: str
    serves: int
    carer: bool = False


def reachable(targets: Sequence[Target]) -> tuple[Target, ...]:
    return tuple(target for target in targets if not target.opted_out)


def why_unreachable(targets: Sequence[Target]) -> str:
    """Say, for the record and for the nurse who calls, why no text can go out."""
    if not targets:
        return "no phone gets this patient's reminders"
    return "opted out of texts"


@dataclass(frozen=True)
class Circumstances:
    """What else decides the words of a reminder: whether the visit is confirmed, and how little drug is left."""

    confirmed: bool = False
    days_left: int | None = None  # by the early edge; None where it is not known

    @property
    def rung(self) -> Rung:
        return rung_for(self.days_left)

    def urgent(self, step: str) -> bool:
        """Whether the text of this step waits for no hours."""
        return step.startswith("missed:") and self.rung is LAST


def wording(
    step: str,
    starts_at: datetime,
    given_name: str,
    target: Target,
    digit: int,
    words: Words,
    clinic: ClinicVoice,
    patient_zone: ZoneInfo,
    known: Circumstances = Circumstances(),
) -> Rendered:
    """Return the text of one step: a ladder reminder, or what to do after a missed refill, by days of drug left.

    Two days before a visit that nobody confirmed, it is asked in other words. The hour is the clinic's, with its zone
    named where the patient's clock differs then. The patient is named only on a carer's phone and on one that serves
    several.
    """
    voice = words.voice(target.language)
    differs = starts_at.astimezone(clinic.zone).utcoffset() != starts_at.astimezone(patient_zone).utcoffset()
    fill = {"when": voice.moment(starts_at, clinic.zone, name_zone=differs), "who": voice.called(given_name)}
    shared = "_shared" if target.serves > 1 or target.carer else ""
    if not step.startswith("missed:"):
        fill |= {"yes": str(digit), "change": str(digit + 1)}
        again = "_unconfirmed" if step == ASKS_AGAIN and not known.confirmed else ""
        return words.system(f"reminder{again}{shared}", clinic, target.language, **fill)
    if known.rung in (SOON, LAST):
        fill |= {"day": voice.day(starts_at, clinic.zone)}
        return words.system(
            f"missed_{'now' if known.rung is LAST else 'soon'}{shared}", clinic, target.language, **fill
        )
    guidance = words.answer(MISSED_TOPIC, clinic, target.language)
    fill |= {"day": voice.day(starts_at, clinic.zone), "guidance": guidance.body}
    said = words.system(f"missed{shared}", clinic, target.language, **fill)
    if not shared and measure(said.body).count > TWO_SEGMENTS:  # what to do matters more than which visit it was
        said = words.system("missed_brief", clinic, target.language, guidance=guidance.body)
    return Rendered(said.body, guidance.text_id, guidance.version, guidance.draft)
