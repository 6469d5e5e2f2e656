"""The report: what was found as numbers, for a program and for a clinician."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from app.simulation.checks import Findings
from app.simulation.parameters import MINUTES_A_DAY, Parameters

DAYS_A_MONTH = 365.25 / 12
ZEROS = {
    "empty_without_task": "pumps that ran empty, and nobody had a task about it a week before",
    "texts_outside_hours": "routine texts outside 08:00-21:00 of the patient",
    "duplicate_messages": "texts that reached a phone twice",
    "reminders_lost": "reminders and steps neither sent nor given a reason",
    "urgent_unacknowledged": "urgent texts whose alert nobody took",
}
COUNTS = (
    "texts in",
    "urgent texts",
    "alerts",
    "pages",
    "visits booked",
    "visits moved",
    "booked late, with a reason",
    "visits that came due",
    "visits had",
    "no-shows",
    "missed visits noticed",
    "refills",
    "refills recorded",
    "refills at a hospital",
    "dose changes",
    "entries for a second person",
    "entries declined",
    "low reservoir alarms heard",
    "calls to the clinic",
    "calls answered",
    "handed to the provider",
    "refused by the provider",
    "without an answer",
    "answer lost",
    "undelivered",
    "texts on a phone",
)


def zeros(found: Findings) -> dict[str, int]:
    """Return the five numbers that must be 0."""
    return {
        "empty_without_task": sum(1 for empty in found.empties if empty.why),
        "texts_outside_hours": found.outside_hours.total(),
        "duplicate_messages": found.duplicates,
        "reminders_lost": found.lost.total(),
        "urgent_unacknowledged": found.unacknowledged.total(),
    }


def passed(found: Findings) -> bool:
    return not any(zeros(found).values()) and not found.failed_jobs


def per_patient_month(count: int, parameters: Parameters) -> float:
    return round(count / parameters.patients / (parameters.days / DAYS_A_MONTH), 2)


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest value at or above a share of all; None where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def by_purpose(found: Findings) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (_, purpose), count in found.texts.items():
        counts[purpose] += count
    return counts


def tasks_by_kind(found: Findings) -> dict[str, dict[str, int]]:
    """Return, by kind, the tasks opened in each month; the most frequent kind first."""
    kinds: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (kind, month), count in sorted(found.tasks.items()):
        kinds[kind][month] = count
    return dict(sorted(kinds.items(), key=lambda item: (-sum(item[1].values()), item[0])))


def as_json(parameters: Parameters, found: Findings) -> dict[str, Any]:
    """Return the report. The same parameters give the same, byte for byte."""
    minutes = found.minutes_to_human
    purposes = by_purpose(found)
    return {
        "parameters": {
            "patients": parameters.patients,
            "days": parameters.days,
            "seed": parameters.seed,
            "no_shows": parameters.no_shows,
            "unreachable": parameters.unreachable,
            "outages": parameters.outages,
            "without": sorted(parameters.without),
        },
        **zeros(found),
        "minutes_to_human": {
            "median": quantile(minutes, 0.5),
            "p95": quantile(minutes, 0.95),
            "max": max(minutes, default=None),
        },
        "texts_per_patient_month": per_patient_month(purposes.total(), parameters),
        "texts_per_patient_month_by_purpose": {
            purpose: per_patient_month(count, parameters) for purpose, count in sorted(purposes.items())
        },
        "calls": found.counts["calls"],
        "reached_empty": len(found.empties),
        "missed": [
            {"patient": empty.patient, "day": empty.minute // MINUTES_A_DAY + 1, "why": empty.why}
            for empty in sorted(found.empties, key=lambda empty: (empty.minute, empty.patient))
            if empty.why
        ],
        "days_left_at_refill": {
            "p5": _rounded(quantile(found.days_left_at_refill, 0.05)),
            "median": _rounded(quantile(found.days_left_at_refill, 0.5)),
        },
        "counts": {name: found.counts[name] for name in COUNTS},
        "tasks_by_kind": {kind: sum(months.values()) for kind, months in tasks_by_kind(found).items()},
        "details": {
            "texts_outside_hours": dict(sorted(found.outside_hours.items())),
            "reminders_lost": dict(sorted(found.lost.items())),
            "urgent_unacknowledged": dict(sorted(found.unacknowledged.items())),
        },
        "failed_jobs": dict(sorted(found.failed_jobs.items())),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def as_text(parameters: Parameters, found: Findings) -> Iterator[str]:
    """Yield the report in lines."""
    report = as_json(parameters, found)
    people = f"{parameters.patients} patients for {parameters.days} days, seed {parameters.seed}"
    yield f"Simulated: {people}; {parameters.no_shows:.0%} no-shows, {parameters.unreachable:.0%} unreachable, " + (
        f"{parameters.outages} outages of the provider"
    )
    if parameters.without:
        yield f"Switched off: {', '.join(sorted(parameters.without))}"
    yield ""
    yield "Must be 0"
    for name, count in zeros(found).items():
        yield f"  {count:6}  {ZEROS[name]}"
    for name, details in report["details"].items():
        for what, count in details.items():
            yield f"          {ZEROS[name].split(',')[0]}: {what}, {count}"
    for empty in report["missed"]:
        yield f"          patient {empty['patient']}, day {empty['day']}: {empty['why']}"
    for name, count in report["failed_jobs"].items():
        yield f"          the job {name} failed {count} times"
    yield ""
    minutes = report["minutes_to_human"]
    if minutes["max"] is None:
        yield "Minutes from an urgent text to a person: there was none"
    else:
        yield (
            f"Minutes from an urgent text to a person: median {minutes['median']}, 95 % within {minutes['p95']}, "
            f"longest {minutes['max']} ({len(found.minutes_to_human)} texts)"
        )
    yield f"Texts per patient and month: {report['texts_per_patient_month']}"
    for purpose, count in report["texts_per_patient_month_by_purpose"].items():
        yield f"  {count:6}  {purpose.replace('_', ' ')}"
    yield f"Calls by nurses: {report['calls']}"
    left = report["days_left_at_refill"]
    if left["median"] is not None:
        yield f"Days of drug left at a refill: median {left['median']}, one in twenty under {left['p5']}"
    yield f"Pumps that ran empty, with or without a task: {report['reached_empty']}"
    yield ""
    yield "Counted"
    for name, count in report["counts"].items():
        yield f"  {count:6}  {name}"
    yield "Tasks by kind"
    for kind, count in report["tasks_by_kind"].items():
        yield f"  {count:6}  {kind.replace('_', ' ')}"
