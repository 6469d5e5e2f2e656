"""The report as a page: one file, no script, light and dark. It says of itself that it is a simulation."""

import calendar
from collections import Counter
from collections.abc import Sequence
from html import escape

from app.simulation.charts import columns, figure, table
from app.simulation.checks import Findings, MissFound
from app.simulation.parameters import Parameters
from app.simulation.report import (
    ZEROS,
    by_purpose,
    passed,
    per_patient_month,
    quantile,
    tasks_by_kind,
    zeros,
)

AS_IT_IS, SWITCHED_OFF = "as it is", "escalation switched off"
_DAYS_LEFT = ((0, "empty"), (3, "up to 3"), (7, "4-7"), (14, "8-14"), (21, "15-21"), (28, "22-28"), (10**6, "more"))
_MINUTES = ((2, "0-2"), (5, "3-5"), (10, "6-10"), (15, "11-15"), (30, "16-30"), (60, "31-60"), (10**6, "over 60"))
_RUNGS = ((3, "0-3 days"), (7, "4-7 days"), (14, "8-14 days"), (10**6, "more than 14"))
_SHOWN_KINDS = 5
A_YEAR = 365


def as_page(parameters: Parameters, found: Findings, other: Findings, command: str) -> str:
    """Return the page. `other` is the same year with escalation switched off."""
    body = "\n".join(
        (
            _head(parameters, found, command),
            _safety(found, other),
            _days_left(found, other),
            _minutes(found),
            _texts(parameters, found),
            _ladder(found, other),
            _tasks(found),
            _empties(found, other),
            _ASSUMPTIONS,
        )
    )
    return _PAGE.format(style=_STYLE, body=body)


def _head(parameters: Parameters, found: Findings, command: str) -> str:
    verdict = (
        "All five counts that must be 0 are 0." if passed(found) else "Not all counts that must be 0 are 0: see below."
    )
    return (
        f"<header><h1>A simulated {'year of a ' if parameters.days >= A_YEAR else ''}pump clinic</h1>"
        f"<p class='verdict'>{verdict}</p>"
        "<p><strong>This is a simulation, not a study of patients.</strong> The code, the database and the jobs are "
        "the real ones. The people, their pumps, the nurses and the provider of texts are made up, under a clock that "
        f"jumps from one event to the next: {parameters.patients} patients, {parameters.days} days, "
        f"seed {parameters.seed}, "
        f"{parameters.no_shows:.0%} of visits missed, {parameters.unreachable:.0%} of patients out of reach, "
        f"{parameters.outages} outages of the provider. What was assumed stands at the end.</p>"
        f"<p>Made by <code>{escape(command)}</code>. The same seed gives the same figures.</p></header>"
    )


def _safety(found: Findings, other: Findings) -> str:
    mine, theirs = zeros(found), zeros(other)
    names = list(ZEROS)
    series = {AS_IT_IS: [float(mine[name]) for name in names], SWITCHED_OFF: [float(theirs[name]) for name in names]}
    labels = ["empty, no task", "at night", "twice", "lost", "urgent, not taken"]
    rows = [[ZEROS[name], mine[name], theirs[name]] for name in names]
    missed = theirs["empty_without_task"]
    title = (
        f"{_so_many(mine['empty_without_task'], 'pump')} ran empty unnoticed; with escalation switched off, "
        f"{_so_many(missed, 'pump').lower()} did"
    )
    note = (
        "Each count compares what Pumpline wrote down with what really happened in the simulation. With the care steps "
        "and the noticing of missed visits switched off, the same checks find whom that would have missed, and every "
        "step that was due and not taken."
    )
    chart = columns(labels, series, unit="found; each line is ten times the one below", title=title, decades=True)
    return figure(title, chart, table(["must be 0", AS_IT_IS, SWITCHED_OFF], rows), note)


def _days_left(found: Findings, other: Findings) -> str:
    mine = _binned(found.days_left_at_refill, _DAYS_LEFT)
    theirs = _binned(other.days_left_at_refill, _DAYS_LEFT)
    labels = [label for _, label in _DAYS_LEFT]
    share = {AS_IT_IS: _shares(mine), SWITCHED_OFF: _shares(theirs)}
    median, low = quantile(found.days_left_at_refill, 0.5), quantile(found.days_left_at_refill, 0.05)
    title = (
        f"At a refill, {_days(median)} of drug were really left in half of the pumps; under {_days(low)} in one of 20"
    )
    rows = [[label, a, b] for label, a, b in zip(labels, mine, theirs, strict=True)]
    chart = columns(labels, share, unit="% of refills, by days left at the flow the pump really had", title=title)
    return figure(title, chart, table(["days of drug left", f"refills, {AS_IT_IS}", SWITCHED_OFF], rows))


def _minutes(found: Findings) -> str:
    counts = _binned(found.minutes_to_human, _MINUTES)
    labels = [label for _, label in _MINUTES]
    median, p95 = quantile(found.minutes_to_human, 0.5), quantile(found.minutes_to_human, 0.95)
    longest = max(found.minutes_to_human, default=None)
    title = (
        f"From an urgent text to a person who takes it: {_figure(median)} minutes in half, {_figure(p95)} in 95 of 100"
    )
    rows = [[label, count] for label, count in zip(labels, counts, strict=True)]
    note = (
        f"{len(found.minutes_to_human)} urgent texts; the longest waited {_figure(longest)} minutes. How fast the "
        "on-call nurse answers a page is assumed; what is measured is that every alert is paged again until somebody "
        "takes it, through outages and lost answers."
    )
    chart = columns(
        labels, {"urgent texts": [float(count) for count in counts]}, unit="urgent texts, by minutes", title=title
    )
    return figure(title, chart, table(["minutes", "urgent texts"], rows), note)


def _texts(parameters: Parameters, found: Findings) -> str:
    purposes = by_purpose(found)
    named = [
        (purpose.replace("_", "-"), per_patient_month(count, parameters)) for purpose, count in purposes.most_common()
    ]
    whole = per_patient_month(purposes.total(), parameters)
    title = f"A patient gets {whole} texts a month"
    chart = columns(
        [name for name, _ in named], {"texts": [v for _, v in named]}, unit="texts per patient and month", title=title
    )
    rows = [[name, purposes[name.replace("-", "_")], value] for name, value in named]
    return figure(title, chart, table(["purpose", "texts", "per patient and month"], rows))


def _ladder(found: Findings, other: Findings) -> str:
    labels = [label for _, label in _RUNGS]
    mine, theirs = _by_rung(found.misses), _by_rung(other.misses)
    series = {
        "refilled before it was empty": [float(_refilled(misses)) for misses in mine],
        "ran empty first": [float(sum(miss.ran_dry for miss in misses)) for misses in mine],
        "not refilled by the last day": [float(_open(misses)) for misses in mine],
    }
    rows = []
    for label, here, there in zip(labels, mine, theirs, strict=True):
        hours = [miss.hours_to_owner for miss in here if miss.hours_to_owner is not None]
        days = [miss.days_to_refill for miss in here if miss.days_to_refill is not None]
        rows.append(
            [
                label,
                len(here),
                _figure(quantile(hours, 0.5)),
                _figure(quantile(hours, 0.95)),
                _figure(quantile(days, 0.5)),
                sum(miss.ran_dry for miss in here),
                f"{sum(miss.ran_dry for miss in there)} of {len(there)}",
            ]
        )
    dry = sum(miss.ran_dry for misses in mine for miss in misses)
    title = f"Of {_so_many(sum(map(len, mine)), 'missed visit')}, {dry} ended in an empty pump"
    headings = [
        "days left when missed",
        "missed visits",
        "hours until a nurse had it, median",
        "95 of 100",
        "days until refilled, median",
        "ran empty",
        f"ran empty, {SWITCHED_OFF}",
    ]
    chart = columns(labels, series, unit="missed visits, by days of drug left (early edge)", stacked=True, title=title)
    note = (
        "The fewer days are left, the sooner and louder: a task within a working day, today, now, and at last an alert."
    )
    return figure(title, chart, table(headings, rows), note)


def _tasks(found: Findings) -> str:
    kinds = tasks_by_kind(found)
    months = sorted({month for counts in kinds.values() for month in counts})
    shown = list(kinds)[:_SHOWN_KINDS]
    rest = [kind for kind in kinds if kind not in shown]
    series = {_kind(kind): [float(kinds[kind].get(month, 0)) for month in months] for kind in shown}
    series["other"] = [float(sum(kinds[kind].get(month, 0) for kind in rest)) for month in months]
    whole = sum(sum(counts.values()) for counts in kinds.values())
    title = f"Nurses were given {whole:,} tasks"
    short = [f"{calendar.month_abbr[int(month[5:])]} {month[2:4]}" for month in months]
    rows = [
        [_kind(kind), sum(counts.values()), *(counts.get(month, 0) for month in months)]
        for kind, counts in kinds.items()
    ]
    chart = columns(short, series, unit="tasks opened, by month", stacked=True, title=title)
    return figure(title, chart, table(["kind", "all", *short], rows))


def _empties(found: Findings, other: Findings) -> str:
    rows = []
    for name, findings in ((AS_IT_IS, found), (SWITCHED_OFF, other)):
        why = Counter(empty.why.split(",")[0] if empty.why else "" for empty in findings.empties)
        rows.append([name, len(findings.empties), why.pop("", 0), sum(why.values())])
    title = f"{_so_many(len(found.empties), 'pump')} ran empty although somebody had it in hand"
    note = (
        "These are people who do not come and are not to be reached for weeks. Pumpline cannot make them come; it must "
        "make sure that a nurse knows, a week before at the latest. Each is refilled at a hospital in the end."
    )
    heads = ["", "ran empty", "a nurse had a task at least 7 days before", "nobody had"]
    return f"<section><h2>{escape(title)}</h2><p>{escape(note)}</p>{table(heads, rows)}</section>"


def _binned(values: Sequence[float], bins: Sequence[tuple[int, str]]) -> list[int]:
    """Return how many values are at most each bin's edge, and above the one before."""
    edges = [edge for edge, _ in bins]
    counts = [0] * len(bins)
    for value in values:
        counts[next(place for place, edge in enumerate(edges) if value <= edge)] += 1
    return counts


def _shares(counts: Sequence[int]) -> list[float]:
    return [round(100 * count / max(1, sum(counts)), 1) for count in counts]


def _by_rung(misses: Sequence[MissFound]) -> list[list[MissFound]]:
    found: list[list[MissFound]] = [[] for _ in _RUNGS]
    for miss in misses:
        if miss.days_left is not None:
            found[next(place for place, (edge, _) in enumerate(_RUNGS) if miss.days_left <= edge)].append(miss)
    return found


def _refilled(misses: Sequence[MissFound]) -> int:
    return sum(1 for miss in misses if miss.days_to_refill is not None and not miss.ran_dry)


def _open(misses: Sequence[MissFound]) -> int:
    return sum(1 for miss in misses if miss.days_to_refill is None and not miss.ran_dry)


def _so_many(count: int, what: str) -> str:
    return f"{count or 'No'} {what}{'' if count == 1 else 's'}"


def _days(days: float | None) -> str:
    return "-" if days is None else f"{days:.0f} days"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _kind(kind: str) -> str:
    return kind.replace("_", " ")


_ASSUMPTIONS = """<section><h2>What was assumed, and what was not modelled</h2>
<h3>Modelled</h3><ul>
<li>Pumps: intervals of 30 to 150 days, half of them over 135; 20 and 40 mL; doses that differ at the weekend,
boluses, changes of dose now and then, some so large that a second nurse must confirm. A pump flows up to 15 % faster
or slower than programmed: normal, its 95 % within the band, and a draw beyond the band put on its edge, so none is
outside. A nurse aspirates what is really left.</li>
<li>Patients: 18 % text in Spanish, one in ten lives in another time zone, one in four has a carer, some pairs share a
carer's phone. They confirm, ask for another time, cancel, text STOP or CANCEL, ask questions, say what kept them,
answer check-ins (4 of 100 not well), text of emergencies at any hour, answer what we then ask within 90 minutes, and
text that the pump beeps when it really does. 12 % of people miss 3.5 times as often as set, and whoever missed is
likelier to miss again. People out of reach get no text, send none, and answer no call for weeks at a time. Whoever
runs empty is refilled at a hospital within two days.</li>
<li>Staff: two nurses for each 250 patients, weekdays 08:00-17:00 without holidays. They do what tasks, lists, texts
and phone calls tell them, and nothing else. A call is answered six times in ten. One visit in ten is marked late, or
not until a task asks; one refill in seven is recorded later. One visit in five is not booked at the refill. The
on-call nurse answers the first page in 62 of 100 alerts, within minutes; a few only after five pages and more.</li>
<li>The provider: 1 call in 80 fails or loses its answer; a bad half hour each month; outages of one to six hours;
reports that are missing, late, twice, out of order; 2 % of texts come in late, 1.5 % twice.</li>
<li>The clock: jobs run when something is due, in whole minutes. Planning everything anew, in truth done every six
hours, is done every four weeks;
a text in doubt is asked about every five minutes, in truth every few seconds.</li></ul>
<h3>Not modelled</h3><ul>
<li>Symptoms and their course, overdose, catheter faults, a pump that stops, heat, altitude, MRI, replacement of a
pump.</li>
<li>Visits that are full, sick nurses, nurses who close a task by mistake or forget it, two nurses at one record.</li>
<li>Patients in hospital or away (paused), those who leave or die, new patients, changed phone numbers.</li>
<li>A provider that says "undelivered" of a text that arrived, or has a text that its list does not show.</li>
<li>Machines: crashes, full disks, a heartbeat that stops. Other tests do that. Several machines, and PostgreSQL.</li>
<li>How real patients write: they text from a fixed list of plain phrases.</li></ul>
<p>Probabilities are guesses of the authors, set once and not fitted. They decide how often things happen; they do not
decide whether Pumpline keeps its promises when they do.</p></section>"""

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2430; --soft: #56616f; --line: #d5dbe3;
  --s0: #2266aa; --s1: #c75a12; --s2: #3d8a4e; --s3: #8a5fb0; --s4: #b08a1a; --s5: #8b95a1; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181e; --ink: #e6eaf0; --soft: #a3adba; --line: #343c47;
  --s0: #6fb1ee; --s1: #f09a5c; --s2: #7cc98d; --s3: #c3a2e6; --s4: #e0c15f; --s5: #7d8896; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
.verdict { font-size: 1.1rem; font-weight: 600; }
code { font-size: .9em; overflow-wrap: anywhere; }
figure { margin: 1rem 0 .5rem; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font-size: 12px; }
svg .label, svg .value { text-anchor: middle; } svg .tick { text-anchor: end; } svg .value { fill: var(--ink); }
.grid { stroke: var(--line); }
.s0 { fill: var(--s0); background: var(--s0); } .s1 { fill: var(--s1); background: var(--s1); }
.s2 { fill: var(--s2); background: var(--s2); } .s3 { fill: var(--s3); background: var(--s3); }
.s4 { fill: var(--s4); background: var(--s4); } .s5 { fill: var(--s5); background: var(--s5); }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; margin: .3rem 0; }
.swatch { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; border-radius: 2px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: bottom; }
th { font-weight: 600; } th[scope=row] { font-weight: 400; } th:first-child { text-align: left; padding-left: 0; }
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pumpline: a simulated clinic</title>
<style>{style}</style>
</head>
<body><main>
{body}
</main></body>
</html>
"""
