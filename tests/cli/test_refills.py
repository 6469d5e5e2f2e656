"""`pumpline refills` and `pumpline programs`: what a nurse records, what waits for another, and who is due."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event

from app.commands.house import opened
from app.db.worklist import refills_due
from tests.cli.conftest import BEN, EVA, Terminal

REFILL = ("refills", "record", "1", "--volume", "20")


def days(today: date, count: int) -> str:
    return str(today + timedelta(days=count))


def test_a_refill_is_recorded_and_its_dates_stand_beside_the_old_ones(terminal: Terminal, today: date) -> None:
    said = terminal.does(*REFILL, "--aspirated", "8", "--by", EVA)
    assert "refill 2: 20 mL" in said
    assert "8 mL aspirated, 8 mL expected: no difference" in said
    [edge] = [line for line in said.splitlines() if line.startswith("low reservoir alarm, early")]
    assert edge.split()[-2:] == [days(today, 18), days(today, 78)]
    assert "never text them to a patient" in said
    dates = terminal.tells("patients", "show", "1")["dates"]
    assert (dates["filled_on"], dates["plan_by"]) == (str(today), days(today, 78))
    assert (dates["days_left_early"], dates["days_left_nominal"]) == (86, 100)


def test_a_dry_run_tells_and_writes_nothing(terminal: Terminal, today: date) -> None:
    told = terminal.tells(*REFILL, "--dose", "600", "--dry-run")
    assert (told["refill_id"], told["waits"]) == (None, True)
    assert told["old"]["plan_by"] == days(today, 18)
    assert told["new"]["flow_ml_per_day"] == "0.3"
    assert terminal.tells("refills", "waiting") == []
    assert terminal.tells("patients", "show", "1")["dates"]["plan_by"] == days(today, 18)


def test_too_much_left_in_the_pump_is_a_task(terminal: Terminal) -> None:
    assert "check pump: 12 mL aspirated, 8 mL expected: 4 mL more" in terminal.does(*REFILL, "--aspirated", "12")
    [task] = terminal.tells("tasks", "list")
    assert task["kind"] == "check_pump"
    assert task["due_at"]


def test_a_jump_waits_for_a_second_person(terminal: Terminal, today: date) -> None:
    said = terminal.does(*REFILL, "--dose", "600", "--by", EVA)
    assert "WAITS for a second member of staff: mean daily dose up from 400 to 600 mcg" in said
    [waits] = terminal.tells("refills", "waiting")
    assert (waits["kind"], waits["id"], waits["entered_by"]) == ("refill", 2, "Eva Lindqvist")
    assert "mean daily dose up from 400 to 600" in terminal.does("refills", "waiting")
    assert terminal.tells("patients", "show", "1")["dates"]["plan_by"] == days(today, 18)
    assert "you entered this yourself" in terminal.refuses("refills", "confirm", "2", "--by", EVA)
    assert "no active member of staff" in terminal.refuses("refills", "confirm", "2", "--by", "eve@clinic.example")
    assert f"plan by {days(today, 52)}" in terminal.does("refills", "confirm", "2", "--by", BEN)
    assert terminal.tells("refills", "waiting") == []
    assert terminal.tells("tasks", "list") == []
    assert "it is effective" in terminal.refuses("refills", "confirm", "2", "--by", BEN)


def test_a_jump_that_is_declined_leaves_what_was(terminal: Terminal, today: date) -> None:
    terminal.does(*REFILL, "--concentration", "1000", "--by", EVA)
    assert f"plan by {days(today, 18)}" in terminal.does("refills", "decline", "2", "--by", EVA)
    shown = terminal.tells("patients", "show", "1")
    assert shown["pumps"][0]["concentration_mcg_per_ml"] == "2000"
    assert shown["pumps"][0]["last_filled_on"] == days(today, -60)
    [left] = terminal.tells("tasks", "list")  # nobody is asked to confirm any more, and the pump runs with something
    assert left["kind"] == "record_refill"
    assert left["reason"].endswith("was declined: read the pump, and record what it shows")


def test_an_entry_made_anew_takes_the_place_of_the_one_that_waits(terminal: Terminal) -> None:
    terminal.does(*REFILL, "--dose", "600", "--by", EVA)
    terminal.does(*REFILL, "--dose", "620", "--by", EVA)
    assert [entry["id"] for entry in terminal.tells("refills", "waiting")] == [3]
    assert len(terminal.tells("tasks", "list")) == 1


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--concentration", "2"), "did you mean 2000?"),
        (("--dose", "0.4"), "did you mean 400 mcg?"),
        (("--concentration", "750"), "check the label, then confirm it"),
        (("--aspirated", "30"), "from 0 to 20 mL"),
        (("--volume", "25"), "over the pump's size of 20 mL"),
        (("--filled-on", "2024-01-01"), "only the last filling can be recorded"),
        (("--by", "nobody@clinic.example"), "pumpline staff list"),
    ],
)
def test_a_slip_is_refused_in_one_line(terminal: Terminal, words: tuple[str, ...], what: str) -> None:
    assert what in terminal.refuses(*REFILL, *words)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--volume", "2,5"), "has a comma"),
        (("--volume", "19.12345678"), "too many digits"),
        (("--dose", "400", "--weekday-doses", "1,2,3,4,5,6,7"), "choose one"),
        (("--boluses-per-day", "2"), "give --bolus MCG"),
        (("--bolus", "20"), "give --boluses-per-day N"),
        (("--filled-on", "yesterday"), "write year, month and day"),
    ],
)
def test_a_wrong_option_is_wrong_usage(terminal: Terminal, words: tuple[str, ...], what: str) -> None:
    assert what in terminal.refuses(*REFILL, *words, code=2)


def test_what_is_not_given_runs_on(terminal: Terminal, today: date) -> None:
    terminal.does("programs", "change", "1", "--boluses-per-day", "1", "--bolus", "20", "--alarm-volume", "3")
    told = terminal.tells(*REFILL, "--dose", "420")
    assert told["new"]["flow_ml_per_day"] == "0.22"
    pump = terminal.tells("patients", "show", "1")["pumps"][0]
    assert (pump["daily_dose_mcg"], pump["alarm_volume_ml"]) == ("420", "3")


def test_a_first_program_takes_the_clinics_alarm_volume(terminal: Terminal, today: date) -> None:
    terminal.does("clinic", "set-care", "--alarm-volume", "4")
    terminal.imports("2,Ben,Ito,+16145550125,yes,SynchroMed II,20,,,,,,")
    refill = ("refills", "record", "2", "--volume", "20")
    assert "give concentration and dose with the refill" in terminal.refuses(*refill)
    assert "give concentration and dose with the refill" in terminal.refuses(*refill, "--dose", "400")
    terminal.does(*refill, "--concentration", "2000", "--dose", "400")
    assert terminal.tells("patients", "show", "2")["pumps"][0]["alarm_volume_ml"] == "4"


def test_a_dose_changes_between_refills(terminal: Terminal, today: date) -> None:
    said = terminal.does("programs", "change", "1", "--dose", "480", "--by", EVA)
    assert f"from {today}" in said
    [plan_by] = [line for line in said.splitlines() if line.startswith("plan by  ")]
    assert plan_by.split()[-2:] == [days(today, 18), days(today, 15)]
    assert terminal.tells("patients", "show", "1")["dates"]["plan_by"] == days(today, 15)
    assert "name what changes" in terminal.refuses("programs", "change", "1", code=2)


def test_a_dose_that_jumps_waits_and_the_earlier_dates_count(terminal: Terminal, today: date) -> None:
    told = terminal.tells("programs", "change", "1", "--dose", "800", "--by", EVA)
    assert (told["waits"], told["program_id"]) == (True, 2)
    assert terminal.tells("patients", "show", "1")["dates"]["plan_by"] == days(today, 9)
    [waits] = terminal.tells("refills", "waiting")
    assert (waits["kind"], waits["on"]) == ("program", str(today))
    assert "second member of staff" in terminal.refuses("programs", "confirm", "2", "--by", EVA)
    terminal.does("programs", "confirm", "2", "--by", BEN)
    assert terminal.tells("patients", "show", "1")["pumps"][0]["daily_dose_mcg"] == "800"


def test_entries_of_one_day_do_not_creep_past_the_limit(terminal: Terminal) -> None:
    terminal.does("programs", "change", "1", "--dose", "480")
    assert terminal.tells("programs", "change", "1", "--dose", "580")["waits"]
    assert terminal.tells(*REFILL, "--dose", "580")["waits"]
    assert not terminal.tells(*REFILL)["waits"]


def test_a_dose_that_is_to_change_counts_in_the_dates_of_a_new_refill(terminal: Terminal, today: date) -> None:
    terminal.does("programs", "change", "1", "--dose", "480", "--from", days(today, 10))
    told = terminal.tells(*REFILL)
    assert told["new"]["plan_by"] == terminal.tells("patients", "show", "1")["dates"]["plan_by"] < days(today, 78)


def test_the_fewest_days_of_drug_come_first_and_the_unknown_last(terminal: Terminal, today: date) -> None:
    implanted = days(today, -900)
    terminal.imports(
        "2,Bo,Ek,+16145550124,yes,,,,,,,,",
        f"3,Cai,Li,+16145550125,yes,SynchroMed II,20,{implanted},2000,400,2,{days(today, -80)},20",
        f"4,Dee,Oh,+16145550126,yes,SynchroMed II,40,{implanted},2000,400,2,{days(today, -5)},40",
        f"5,Edo,Mo,+16145550127,yes,SynchroMed II,20,{implanted},2000,400,2,{days(today, -70)},20",
    )
    terminal.does("patients", "state", "5", "paused")
    everybody = terminal.tells("refills", "due", "--all")
    assert [row["given_name"] for row in everybody] == ["Cai", "Edo", "Ana", "Dee", "Bo"]
    assert [row["days_left_early"] for row in everybody] == [6, 16, 26, 168, None]
    assert everybody[0]["plan_by"] == days(today, -2)
    assert everybody[-1]["problem"] == "no pump is recorded"
    assert [row["given_name"] for row in terminal.tells("refills", "due")] == ["Cai", "Edo", "Ana", "Bo"]
    assert [row["given_name"] for row in terminal.tells("refills", "due", "--days", "0")] == ["Cai", "Bo"]
    table = terminal.does("refills", "due", "--limit", "2")
    assert "Cai Li" in table
    assert "passed" in table
    assert "paused" in table
    assert "Ana Ruiz" not in table
    terminal.does("patients", "state", "3", "left")
    assert [row["given_name"] for row in terminal.tells("refills", "due", "--days", "0")] == ["Bo"]


def test_the_list_takes_as_many_queries_for_many_patients(terminal: Terminal, today: date) -> None:
    def queries() -> int:
        with opened() as house:
            count = 0

            def one_more(*_: object) -> None:
                nonlocal count
                count += 1

            event.listen(house.db.engine, "before_cursor_execute", one_more)
            with house.db.read() as session:
                refills_due(session, 1, house.now, house.zone)
            return count

    few = queries()
    terminal.imports(
        *(
            f"{n},G{n},F{n},+16145551{n},yes,SynchroMed II,20,,2000,400,2,{days(today, -(n % 70))},20"
            for n in range(100, 130)
        )
    )
    assert len(terminal.tells("refills", "due", "--all")) == 31
    assert queries() == few


def test_the_list_says_who_has_the_task(terminal: Terminal, today: date) -> None:
    terminal.imports(f"3,Cai,Li,+16145550125,yes,SynchroMed II,20,,2000,400,2,{days(today, -95)},20")
    terminal.does("clock", "jump", "--days", "1")
    [cai] = terminal.tells("refills", "due", "--days", "0")
    assert [task["who"] for task in cai["tasks"] if task["kind"] == "supply"] == [None]
    [supply] = [task["id"] for task in cai["tasks"] if task["kind"] == "supply"]
    assert "nobody" in terminal.does("refills", "due", "--days", "0")
    terminal.does("tasks", "acknowledge", str(supply), "--by", BEN)
    [cai] = terminal.tells("refills", "due", "--days", "0")
    assert [task["who"] for task in cai["tasks"] if task["kind"] == "supply"] == ["Ben Ito"]
    [told] = [task for task in terminal.tells("tasks", "list") if task["id"] == supply]
    assert told["needed_by"]


def test_a_late_booking_needs_a_reason(terminal: Terminal, today: date) -> None:
    late = f"{days(today, 25)} 10:30"
    said = terminal.refuses("appointments", "book", "1", late)
    assert "7 days after the plan-by date" in said
    assert '--reason "WORDS"' in said
    assert terminal.tells("appointments", "list") == []
    assert "abroad until then" in terminal.does("appointments", "book", "1", late, "--reason", "abroad until then")
    [row] = terminal.tells("refills", "due")
    assert (row["visit"]["days_late"], row["visit"]["late_reason"]) == (7, "abroad until then")
    assert "7 days late: abroad until then" in terminal.does("refills", "due")
    assert terminal.tells("tasks", "list") == []
    terminal.refuses("appointments", "move", "1", f"{days(today, 26)} 10:30")
    terminal.does("appointments", "move", "1", f"{days(today, 15)} 10:30")
    [row] = terminal.tells("refills", "due")
    assert (row["visit"]["days_late"], row["visit"]["late_reason"]) == (0, None)


def test_a_visit_that_came_to_be_late_is_flagged_until_a_reason_is_given(terminal: Terminal, today: date) -> None:
    at = f"{days(today, 17)} 10:30"
    assert "in time" in terminal.does("appointments", "book", "1", at, "--reason", "why not")
    terminal.does("programs", "change", "1", "--dose", "480")
    [task] = terminal.tells("tasks", "list")
    assert (task["kind"], task["needed_by"]) == ("late_booking", days(today, 15))
    assert "nobody said why" in terminal.does("refills", "due")
    terminal.does("appointments", "move", "1", at, "--reason", "no bed before")
    assert terminal.tells("tasks", "list") == []
    assert terminal.tells("appointments", "list")[0]["late_reason"] == "no bed before"


def test_a_visit_whose_volumes_are_not_recorded_is_told(terminal: Terminal, today: date) -> None:
    terminal.does("appointments", "book", "1", f"{days(today, 1)} 10:30")
    terminal.does("appointments", "attended", "1")
    terminal.does("appointments", "book", "1", f"{days(today, 70)} 10:30")
    [row] = terminal.tells("refills", "due")
    assert row["seen_on"] == str(today)
    assert row["visit"]["days_late"] == 0
    assert "record the volumes" in terminal.does("refills", "due")
    assert [task["kind"] for task in terminal.tells("tasks", "list")] == ["record_refill"]
    terminal.does(*REFILL)
    assert terminal.tells("refills", "due") == []
    assert terminal.tells("tasks", "list") == []


def test_a_refill_makes_a_missed_visit_good_however_late_it_is_marked(terminal: Terminal, today: date) -> None:
    terminal.does("appointments", "book", "1", f"{days(today, 1)} 10:30")
    terminal.does("clock", "jump", "--days", "3")
    assert terminal.tells("refills", "due")[0]["missed"]
    terminal.does(*REFILL, "--filled-on", days(today, 1))
    [row] = terminal.tells("refills", "due", "--all")
    assert (row["missed"], row["seen_on"], row["plan_by"]) == (False, None, days(today, 79))
    terminal.does("appointments", "attended", "1")
    [row] = terminal.tells("refills", "due", "--all")
    assert (row["missed"], row["seen_on"]) == (False, None)


def test_an_imported_refill_is_corrected_with_its_dose(terminal: Terminal, today: date) -> None:
    filled_on = days(today, -60)
    terminal.does("refills", "record", "1", "--volume", "19", "--filled-on", filled_on, "--dose", "420")
    pump = terminal.tells("patients", "show", "1")["pumps"][0]
    assert (pump["last_filled_on"], pump["reservoir_volume_ml"], pump["daily_dose_mcg"]) == (filled_on, "19", "420")


def test_a_change_leaves_what_waits_with_a_refill_of_that_day(terminal: Terminal) -> None:
    terminal.does(*REFILL, "--dose", "600", "--by", EVA)
    terminal.does("programs", "change", "1", "--dose", "420")
    terminal.does("refills", "confirm", "2", "--by", BEN)
    assert terminal.tells("patients", "show", "1")["pumps"][0]["daily_dose_mcg"] == "600"


def test_why_visits_were_missed_is_counted(terminal: Terminal, today: date) -> None:
    terminal.does("appointments", "book", "1", f"{days(today, 3)} 10:30")
    terminal.does("clock", "jump", "--days", "4")
    assert terminal.tells("appointments", "reasons")["not said"] == 1
    assert terminal.tells("appointments", "reasons", "--since", days(today, 4))["not said"] == 0
    assert "weather" in terminal.does("appointments", "reasons")
    [row] = terminal.tells("refills", "due")
    assert row["missed"]
    assert "none, and one was missed" in terminal.does("refills", "due")


def test_steps_still_planned_are_shown(terminal: Terminal) -> None:
    steps = terminal.tells("steps", "list", "--patient", "1")
    assert {"book:14", "left:14", "left:7", "left:3"} <= {step["step"] for step in steps}
    assert "left:14" in terminal.does("patients", "show", "1")
    terminal.does(*REFILL)
    old = {step["id"] for step in steps if step["step"].startswith("left")}
    assert {s["reason"] for s in terminal.tells("steps", "list") if s["id"] in old} == {"refilled"}


def test_the_clinics_limits_change_the_dates_at_once(terminal: Terminal, today: date) -> None:
    assert "28 days before the plan-by date" in terminal.does("clinic", "care")
    said = terminal.does(
        *("clinic", "set-care", "--lead-days", "5", "--stability", "baclofen 2000=70", "--stability", "morphine 10=60"),
        *("--offer", "weather=home_refill", "--max-interval-days", "100", "--concentrations", "500,2000.0"),
    )
    assert "changed: concentrations, stability of, max interval days, lead days, offers" in said
    assert "dates worked out: 1 pump" in said
    [row] = terminal.tells("refills", "due")
    assert row["plan_by"] == days(today, 5)
    care = terminal.tells("clinic", "care")
    assert care["stability_of"] == {"baclofen 2000": 70, "morphine 10": 60}
    assert care["concentrations"] == ["500", "2000"]
    assert care["flow_band"] == "0.15"
    terminal.does("clinic", "set-care", "--max-interval-days", "0")
    assert terminal.tells("clinic", "care")["max_interval_days"] is None
    terminal.does("clinic", "set-care", "--stability", "baclofen 2000=0", "--offer", "weather=none")
    care = terminal.tells("clinic", "care")
    assert (care["stability_of"], care["offers"]) == ({"morphine 10": 60}, {})
    assert "nothing to change" in terminal.does("clinic", "set-care", "--lead-days", "5")
    assert "15 % is written 0.15" in terminal.refuses("clinic", "set-care", "--band", "15")
    assert "set-care --help" in terminal.refuses("clinic", "set-care", code=2)
    assert "baclofen 2000=120" in terminal.refuses("clinic", "set-care", "--stability", "baclofen=120", code=2)


def test_an_import_works_out_the_dates(terminal: Terminal, today: date) -> None:
    row = f"1,Ana,Ruiz,+16145550123,yes,SynchroMed II,20,,2000,400,2,{today},20"
    assert "dates worked out: 1 pump" in terminal.imports(row)
    assert terminal.tells("patients", "show", "1")["dates"]["plan_by"] == days(today, 78)
