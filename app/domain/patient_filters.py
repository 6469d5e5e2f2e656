"""By what the list of patients is narrowed and sorted: known names and values, so that an address holds only those."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

FACETS: dict[str, tuple[str, dict[str, str]]] = {
    "state": ("State", {"active": "Active", "paused": "Paused", "left": "Left", "deceased": "Deceased"}),
    "visit": (
        "Next visit",
        {"in_time": "Booked in time", "late": "Booked late", "none": "Not booked", "missed": "Missed"},
    ),
    "left": ("Drug left", {"7": "7 days or fewer", "14": "14 days or fewer", "28": "28 days or fewer"}),
    "phone": ("Phone", {"ok": "Ok", "opted_out": "Opted out", "failed": "Last text failed", "none": "No phone"}),
    "pump": ("Pump", {"none": "None recorded"}),
    "zone": ("Time zone", {"differs": "Not the clinic's"}),
}
LANGUAGE = "language"
SORTS = {"left": "Days of drug left", "visit": "Next visit"}
DEFAULT_SORT = "left"
_LONGEST_CODE = 8


@dataclass(frozen=True)
class Filters:
    """What an address asks for. `found` names a search by its token."""

    state: str = ""
    visit: str = ""
    left: str = ""
    language: str = ""
    phone: str = ""
    pump: str = ""
    zone: str = ""
    found: str = ""
    sort: str = DEFAULT_SORT

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Filters":
        """Read an address; what is not known is left out."""
        known = {name: asked.get(name, "") for name in FACETS if asked.get(name, "") in FACETS[name][1]}
        code, token = asked.get(LANGUAGE, ""), asked.get("found", "")
        if code.isascii() and code.replace("-", "").isalpha() and len(code) <= _LONGEST_CODE:
            known[LANGUAGE] = code
        if token.isascii() and token.replace("-", "").replace("_", "").isalnum() and len(token) <= 64:
            known["found"] = token
        sort = asked.get("sort", DEFAULT_SORT)
        return cls(**known, sort=sort if sort in SORTS else DEFAULT_SORT)

    @property
    def chosen(self) -> dict[str, str]:
        """Return the filters that are set, by name."""
        every = {name: getattr(self, name) for name in (*FACETS, LANGUAGE)}
        return {name: value for name, value in every.items() if value}

    @property
    def address(self) -> dict[str, str]:
        """Return what an address holds to ask for the same again."""
        found = {"found": self.found} if self.found else {}
        return self.chosen | found | ({"sort": self.sort} if self.sort != DEFAULT_SORT else {})

    def without(self, name: str) -> "Filters":
        return replace(self, **{name: ""})

    @property
    def keepable(self) -> "Filters":
        """Return what a saved view keeps: not a search, which is one person's and ends."""
        return replace(self, found="")
