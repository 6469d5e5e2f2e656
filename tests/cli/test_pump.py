"""`pumpline pump` as a nurse and a program meet it, and the numbers of docs/clinical/refill-interval.md."""

import doctest
import json
import re
import shlex
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli import cli

DOC = Path(__file__).parents[2] / "docs/clinical/refill-interval.md"
CASE = "--volume 20 --alarm-volume 2 --concentration 2000 --dose 400 --filled-on 2026-01-10"
LINE = {
    "id": "a",
    "reservoir_volume_ml": 20,
    "alarm_volume_ml": 2,
    "concentration_mcg_per_ml": 2000,
    "daily_dose_mcg": 400,
    "filled_on": "2026-01-10",
}
DATES = {
    "flow_ml_per_day": 0.2,
    "early_low_alarm_on": "2026-03-29",
    "low_alarm_on": "2026-04-10",
    "late_low_alarm_on": "2026-04-25",
    "early_empty_on": "2026-04-06",
    "empty_on": "2026-04-20",
    "late_empty_on": "2026-05-07",
    "plan_by": "2026-03-29",
}


def _march_first() -> datetime:
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def pumpline(words: str, typed: str | bytes | None = None) -> Result:
    """`pumpline pump` on the first of March 2026, on a machine where nothing was set up."""
    return CliRunner().invoke(cli, ["pump", *shlex.split(words)], input=typed, obj=_march_first)


def answers(*lines: Any) -> list[dict[str, Any]]:
    """What comes back for these lines; a dict is written as JSON."""
    typed = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    result = pumpline("--json-lines", typed)
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def answer(**changed: Any) -> dict[str, Any]:
    [told] = answers(LINE | changed)
    return told


def test_a_nurse_reads_the_dates_with_their_band_and_that_they_are_never_texted() -> None:
    result = pumpline(CASE)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "filled      2026-01-10 with 20 mL, 18 mL of it usable",
        "program     2000 mcg/mL, 400 mcg/day",
        "flow        0.2 mL/day",
        "",
        "                     EARLY (flow 15 % up)  NOMINAL     LATE (flow 15 % down)",
        "low reservoir alarm  2026-03-29            2026-04-10  2026-04-25",
        "empty                2026-04-06            2026-04-20  2026-05-07",
        "",
        "stable      until 2026-07-09: drug stability limit of 180 days",
        "plan by     2026-03-29: early edge of the low reservoir alarm date",
        "drug left   on 2026-03-01: 50 days nominal, 36 early",
        "These dates are for staff: never text them to a patient.",
    ]


def test_a_program_reads_the_same_as_json() -> None:
    result = pumpline(f"{CASE} --on 2026-04-19 --json")
    assert json.loads(result.stdout) == DATES | {
        "plan_by_because": "early edge of the low reservoir alarm date",
        "days_left": {"on": "2026-04-19", "nominal": 1, "early": 0},
    }
    assert '"flow_ml_per_day": 0.2,' in result.stdout


def test_every_option_counts() -> None:
    words = (
        "--volume 20 --alarm-volume 4 --concentration 1500 --confirm-concentration --pump-size 20 "
        "--implanted-on 2025-01-01 --weekday-doses 400,400,400,400,400,300,300 --boluses-per-day 1.5 --bolus 20 "
        "--filled-on 2026-01-10 --band 0.1 --stability-days 90 --max-interval-days 40 --lead-days 3 "
        "--change 2026-02-01=350 --change 2026-01-20=450,450,450,450,450,350,350"
    )
    told = json.loads(pumpline(f"{words} --json").stdout)
    fields = {
        "id": 1,
        "reservoir_volume_ml": "20",
        "alarm_volume_ml": "4",
        "concentration_mcg_per_ml": "1500",
        "concentration_confirmed": True,
        "reservoir_size_ml": "20",
        "implanted_on": "2025-01-01",
        "weekday_doses_mcg": [400, 400, 400, 400, 400, 300, 300],
        "boluses_per_day": "1.5",
        "bolus_mcg": "20",
        "filled_on": "2026-01-10",
        "band": "0.1",
        "stability_days": 90,
        "max_interval_days": 40,
        "lead_days": 3,
        "changes": [
            {"on": "2026-02-01", "daily_dose_mcg": 350},
            {"on": "2026-01-20", "weekday_doses_mcg": [450, 450, 450, 450, 450, 350, 350]},
        ],
    }
    assert told["plan_by_because"] == "the clinic's longest interval of 40 days, less 3 lead days"
    assert told["plan_by"] == "2026-02-16"
    [line] = answers(fields)
    assert line == {"id": 1} | {name: told[name] for name in DATES}
    shown = pumpline(words).stdout
    assert "from 2026-01-20 450, 450, 450, 450, 450, 350, 350 mcg, Monday first\n" in shown
    assert "from 2026-02-01 350 mcg/day\n" in shown
    assert "; 1.5 boluses of 20 mcg a day\n" in shown
    assert "EARLY (flow 10 % up)" in shown


def test_a_refused_case_is_one_line_and_exit_code_1() -> None:
    result = pumpline(CASE.replace("2000", "2"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "a concentration of 2 mcg/mL looks like mg/mL: did you mean 2000?\n"
    assert pumpline(CASE.replace("2026-01-10", "2026-03-02")).exit_code == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "give --volume and --concentration and --filled-on"),
        ("--volume 20 --dose 400 --filled-on 2026-01-10", "give --concentration"),
        (CASE.replace("--dose 400", ""), "choose one: --dose MCG, or --weekday-doses with seven"),
        (f"{CASE} --weekday-doses 1,1,1,1,1,1,1", "choose one: --dose MCG, or --weekday-doses with seven"),
        (f"{CASE} --bolus 20", "--boluses-per-day and --bolus belong together"),
        (f"{CASE} --boluses-per-day 2", "--boluses-per-day and --bolus belong together"),
        (f"{CASE} --on 2026-01-09", "--on is before --filled-on"),
        (f"{CASE} --change 2026-02-01", 'has no "="'),
        (f"{CASE} --change 2026-02-01=4x", "is not amounts divided by commas"),
        (f"{CASE} --change 2026-02-31=450", "is not a day of the calendar"),
        (f"{CASE} --stability-days 180.5", "is not a whole number of days"),
        (f"{CASE} --band 15%", "is not a number"),
        (f"{CASE} --json-lines", "leave the other options out"),
        ("--json-lines --lead-days 0", "leave the other options out"),
    ],
)
def test_wrong_usage_says_what_belongs_together(words: str, told: str) -> None:
    result = pumpline(words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_every_line_is_answered_in_its_order() -> None:
    told = answers(
        LINE,
        b"",
        b"rubbish",
        b"  ",
        b"[1]",
        b'"text"',
        b"\xff{}",
        b'{"id": 9, "dose": 400}',
        LINE | {"id": 2, "daily_dose_mcg": "0.4"},
        {"reservoir_volume_ml": 20},
        LINE | {"id": "last"},
    )
    assert [line["id"] for line in told] == ["a", None, None, None, None, 9, 2, None, "last"]
    assert ["error" in line for line in told] == [False, True, True, True, True, True, True, True, False]
    assert told[0] == {"id": "a"} | DATES
    assert "dose is not a known field" in told[5]["error"]
    assert told[6]["error"] == "a daily dose of 0.4 mcg looks like mg: did you mean 400 mcg?"


def test_numbers_may_be_text_and_null_is_not_given() -> None:
    as_text = {name: str(value) for name, value in LINE.items()}
    nothing = dict.fromkeys(
        ("weekday_doses_mcg", "bolus_mcg", "band", "stability_days", "max_interval_days", "changes")
    )
    assert answers(as_text, as_text | nothing) == [{"id": "a"} | DATES] * 2
    for days in ("180", 180, 180.0):
        assert answer(stability_days=days) == {"id": "a"} | DATES


def test_the_flow_is_a_number_with_all_its_digits() -> None:
    def flow(**changed: Any) -> str:
        said = pumpline("--json-lines", json.dumps(LINE | changed)).stdout
        return said.split('"flow_ml_per_day": ')[1].split(",")[0]

    assert flow() == "0.2"
    assert flow(daily_dose_mcg="333.3333") == "0.16666665"
    assert flow(daily_dose_mcg="1.00", reservoir_volume_ml="4") == "0.0005"
    assert flow(daily_dose_mcg="400.00000000000000000001") == "0.200000000000000000000005"
    assert flow(concentration_mcg_per_ml=1500, concentration_confirmed=True, daily_dose_mcg=100) == "0.0666666666667"
    assert flow(daily_dose_mcg=None, weekday_doses_mcg=[400, 400, 400, 400, 400, 300, 300]) == "0.185714285714"


def test_an_id_comes_back_as_it_was() -> None:
    typed = "".join(json.dumps(LINE).replace('"a"', written) + "\n" for written in ('"\\u00e9"', "7", "1.50", '""'))
    said = pumpline("--json-lines", typed).stdout.splitlines()
    assert [line.split(",")[0] for line in said] == ['{"id": "\\u00e9"', '{"id": 7', '{"id": 1.50', '{"id": ""']


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"reservoir_volume_ml": None}, "reservoir_volume_ml is missing"),
        ({"filled_on": None}, "filled_on is missing"),
        ({"daily_dose_mcg": None}, "there is no dose"),
        ({"weekday_doses_mcg": [400] * 7}, "both a daily dose and weekday doses"),
        ({"daily_dose_mcg": None, "weekday_doses_mcg": [400] * 6}, "there are 6 weekday doses"),
        ({"daily_dose_mcg": None, "weekday_doses_mcg": 400}, "weekday_doses_mcg is not a list"),
        ({"daily_dose_mcg": True}, "daily_dose_mcg is not a number"),
        ({"daily_dose_mcg": float("nan")}, "daily_dose_mcg is not a number"),
        ({"daily_dose_mcg": "NaN"}, "daily_dose_mcg is not a number"),
        ({"daily_dose_mcg": "1,000"}, "daily_dose_mcg has a comma"),
        ({"daily_dose_mcg": [400]}, "daily_dose_mcg is not a number"),
        ({"boluses_per_day": 3}, "bolus_mcg is missing"),
        ({"bolus_mcg": 20}, "boluses_per_day is missing"),
        ({"stability_days": 180.5}, "stability_days is not a whole number of days"),
        ({"lead_days": 1e300}, "lead_days is too many days"),
        ({"filled_on": 20260110}, "filled_on is not a date"),
        ({"filled_on": "2026-02-30"}, "filled_on is not a day of the calendar"),
        ({"filled_on": "2026-03-02"}, "is in the future"),
        ({"concentration_confirmed": "yes"}, "concentration_confirmed is not true or false"),
        ({"concentration_mcg_per_ml": 1500}, "is not one this clinic uses"),
        ({"reservoir_size_ml": 18}, "over the pump's size"),
        ({"implanted_on": "2026-02-01"}, "after the refill"),
        ({"band": 1}, "a band of 1 is not less than 1"),
        ({"band": "0.99999999"}, "past the year 9999"),
        ({"patient": "Ana"}, "patient is not a known field"),
        ({"changes": {}}, "changes is not a list"),
        ({"changes": [1]}, "changes[0] is not an object"),
        ({"changes": [{"daily_dose_mcg": 450}]}, "changes[0].on is missing"),
        ({"changes": [{"on": "2026-02-01"}]}, "changes[0]: there is no dose"),
        ({"changes": [{"on": "2026-02-01", "daily_dose_mcg": 450, "bolus_mcg": 1}]},
         "changes[0].bolus_mcg is not a known field"),
        ({"changes": [{"on": "2026-02-01", "daily_dose_mcg": 450, "concentration_mcg_per_ml": 1000}]},
         "changes[0] has a concentration: a new concentration comes only with a refill"),
        ({"changes": [{"on": "2026-01-01", "daily_dose_mcg": 450}]}, "is before the refill"),
        ({"changes": [{"on": "2026-02-01", "daily_dose_mcg": 450}, {"on": "2026-02-01", "daily_dose_mcg": 400}]},
         "two dose changes on 2026-02-01"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_answered_with_an_error_that_names_it(changed: dict[str, Any], told: str) -> None:
    said = answer(**changed)
    assert said.keys() == {"id", "error"}
    assert said["id"] == "a"
    assert told in said["error"]


def test_a_field_given_twice_is_no_guess() -> None:
    [told] = answers(b'{"id": "a", "daily_dose_mcg": 400, "daily_dose_mcg": 500}')
    assert told == {"id": "a", "error": "daily_dose_mcg is given twice: give it once"}


NUMBERS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals().map(str), st.text(max_size=5),
    st.sampled_from([0, 1, 2, 20, 400, 500, 2000, "2000", "1e5", 1e-9, [400] * 7]),
)  # fmt: skip
DAYS = st.one_of(st.dates().map(str), st.sampled_from(["2026-01-10", "9999-12-31", "0001-01-01", 1, None]))
CHANGES = st.one_of(NUMBERS, st.lists(st.fixed_dictionaries({}, optional={"on": DAYS, "daily_dose_mcg": NUMBERS})))


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional={name: DAYS if name.endswith("_on") else NUMBERS for name in (
    "reservoir_volume_ml", "alarm_volume_ml", "concentration_mcg_per_ml", "daily_dose_mcg", "weekday_doses_mcg",
    "boluses_per_day", "bolus_mcg", "filled_on", "band", "stability_days", "max_interval_days", "lead_days",
    "reservoir_size_ml", "implanted_on", "concentration_confirmed")} | {"changes": CHANGES}))  # fmt: skip
def test_whatever_a_line_holds_it_is_answered_and_so_is_the_next(changed: dict[str, Any]) -> None:
    strange, good = answers(LINE | {"concentration_confirmed": True} | changed, LINE)
    assert strange["id"] == "a"
    assert set(strange) in ({"id", "error"}, {"id", *DATES})
    assert good == {"id": "a"} | DATES


# the document


def _examples() -> list[tuple[str, str]]:
    blocks = re.findall(r"^```console\n(.*?)^```", DOC.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    runs = [run for block in blocks for run in re.split(r"^\$ pumpline pump ", block, flags=re.MULTILINE)[1:]]
    return [(words, shown) for words, _, shown in (run.partition("\n") for run in runs)]


def test_the_document_has_its_worked_examples() -> None:
    assert len(_examples()) >= 6


@pytest.mark.parametrize(("words", "shown"), _examples())
def test_what_the_document_shows_is_what_is_printed(words: str, shown: str) -> None:
    assert pumpline(words).stdout.strip() == shown.strip()


def test_the_two_columns_of_the_document_are_the_dates_of_their_commands() -> None:
    text = DOC.read_text("utf-8")
    without, with_change = (
        json.loads(pumpline(f"{words} --json").stdout)
        for words in re.findall(r"^\$ pumpline pump (.*2026-01-10.*--on 2026-02-19)$", text, re.MULTILINE)
    )
    names = {
        "low reservoir alarm, early": "early_low_alarm_on",
        "low reservoir alarm, nominal": "low_alarm_on",
        "low reservoir alarm, late": "late_low_alarm_on",
        "empty, early": "early_empty_on",
        "empty, nominal": "empty_on",
        "empty, late": "late_empty_on",
        "plan by": "plan_by",
    }
    rows = re.findall(r"^\| ([a-z, ]+) \| (\d{4}-\d\d-\d\d) \| (\d{4}-\d\d-\d\d) \|$", text, re.MULTILINE)
    assert rows == [(words, without[name], with_change[name]) for words, name in names.items()]


def test_the_sums_of_the_document_come_out_as_written() -> None:
    amount = r"\(?\d+(?:[.,]\d+)*\)?"
    sums = re.findall(rf"({amount}(?: [-+x/] {amount})+) = (\d+(?:[.,]\d+)*)", DOC.read_text("utf-8"))
    assert len(sums) > 30
    for written, result in sums:
        number = r"\d+(?:\.\d+)?"
        exact = eval(re.sub(number, r"Fraction('\g<0>')", written.replace(",", "").replace("x", "*")))
        shown = Decimal(result.replace(",", ""))
        half_a_place = Fraction(Decimal(1).scaleb(int(shown.as_tuple().exponent))) / 2
        assert exact == shown or ("." in result and abs(exact - Fraction(shown)) <= half_a_place), written


def test_the_python_of_the_document_says_what_it_shows() -> None:
    tried = doctest.testfile(str(DOC), module_relative=False)
    assert tried.attempted >= 3
    assert tried.failed == 0
