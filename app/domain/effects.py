"""What a decision asks to be done. One closed union: `assert_never` finds a forgotten case."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from app.domain.conversation import Asked


@dataclass(frozen=True)
class Visit:
    """A refill visit as a text needs it."""

    appointment_id: int
    patient_id: int
    given_name: str
    starts_at: datetime
    other_at: datetime | None = None  # another visit of the same patient, in time: this one may be given up


@dataclass(frozen=True)
class Person:
    """A patient this phone may speak for: the patient's own phone, or a carer's."""

    patient_id: int
    is_carer: bool = False


@dataclass(frozen=True)
class Sender:
    """Everything a decision may know about who texts."""

    opted_out: bool = False
    people: tuple[Person, ...] = ()
    visits: tuple[Visit, ...] = ()  # booked and to come, soonest first
    asked: Asked = field(default_factory=Asked)
    alert_codes: tuple[str, ...] = ()  # codes of open alerts, for the clinic's own on-call phone only
    is_on_call: bool = False
    clinic_pages: bool = False  # the clinic has an on-call phone that can be paged
    carrier_confirms_opt_out: bool = False  # the carrier answers STOP by itself
    language: str | None = None  # as last texted, or the patient's own
    country: str = "US"  # the clinic's: it decides which crisis line is named
    paused: bool = False  # a nurse has the conversation: domain.paused

    @property
    def names_patients(self) -> bool:
        """Whether a text to this phone must say whom it is about: several patients, or somebody else's phone."""
        return len(self.people) > 1 or any(person.is_carer for person in self.people)


@dataclass(frozen=True)
class Reply:
    """One text to send back. `text_id` is answer:TOPIC, more:TOPIC, text:NAME or menu (several texts).

    `fill` fills placeholders; `visit` fills {when} and {who}; `lists` fills {options} with the phone's visits, or
    with the question about each of them.
    """

    text_id: str
    fill: tuple[tuple[str, str], ...] = ()
    visit: Visit | None = None
    lists: Literal["", "visits", "asks"] = ""
    urgent: bool = False
    tells_nurse: bool = False  # ends by saying that the nurse has the answers, where a nurse is paged
    adds: str = ""  # another of the system's texts, put behind this one
    language: str | None = None  # where it is not the language of the text


@dataclass(frozen=True)
class RaiseAlert:
    category: str
    reason: str
    patient_id: int | None = None  # where it is known better than by the phone


@dataclass(frozen=True)
class AcknowledgeAlert:
    code: str


@dataclass(frozen=True)
class OpenTask:
    kind: str  # app.db.work.TaskKind
    subject: str  # "phone", or appointment:12, patient:4
    reason: str
    patient_id: int | None = None
    by_plan: bool = False  # urgent by the day by which the refill must be planned, where that is known


@dataclass(frozen=True)
class OptOut:
    source: str


@dataclass(frozen=True)
class OptIn:
    source: str


@dataclass(frozen=True)
class ConfirmVisit:
    appointment_id: int


@dataclass(frozen=True)
class Remember:
    """What the phone may answer from now on."""

    asked: Asked


@dataclass(frozen=True)
class RememberLanguage:
    language: str


@dataclass(frozen=True)
class NoteOnAlert:
    """What the phone's open alert is about, said better, with this text added; it is not raised again."""

    reason: str


@dataclass(frozen=True)
class RecordHelped:
    topic: str
    language: str
    helped: bool


@dataclass(frozen=True)
class DropVisit:
    """Cancel a visit that the patient gave up, where another is arranged in time."""

    appointment_id: int


@dataclass(frozen=True)
class RecordWhy:
    """Why a visit was missed; `reason` is one of domain.why_missed.REASONS."""

    appointment_id: int
    reason: str


@dataclass(frozen=True)
class RecordCheckIn:
    """The digit somebody gave after a refill or dose change: 1 is as usual."""

    patient_id: int
    digit: int


@dataclass(frozen=True)
class RecordScan:
    scan_id: int
    checked: bool


Effect = (
    RaiseAlert
    | AcknowledgeAlert
    | OpenTask
    | OptOut
    | OptIn
    | ConfirmVisit
    | Remember
    | RememberLanguage
    | NoteOnAlert
    | RecordHelped
    | DropVisit
    | RecordWhy
    | RecordCheckIn
    | RecordScan
)


@dataclass(frozen=True)
class Decision:
    replies: tuple[Reply, ...] = ()
    effects: tuple[Effect, ...] = ()
    trace: tuple[str, ...] = ()  # what was done and why, in plain words
