"""`pumpline pumps` and scans: the pump itself, the end of its battery, and the referral that somebody owns."""

from datetime import date, timedelta

from tests.cli.conftest import BEN, EVA, Terminal

PUMP = ("pumps", "record", "1", "--model", "SynchroMed II", "--size", "20")


def test_pumps_are_listed_by_when_they_must_be_replaced(terminal: Terminal, today: date) -> None:
    terminal.imports("2,Bo,Ek,+16145550124,yes,Prometra II,20,2010-05-06,,,,,")
    first, second = terminal.tells("pumps", "list")
    assert (first["patient"], first["replace_by"], first["referral_state"]) == ("Bo Ek", "2020-05-06", None)
    assert (second["patient"], second["reservoir_size_ml"]) == ("Ana Ruiz", "20")
    terminal.does("pumps", "replacement-indicator", "1", "--seen-on", str(today - timedelta(days=10)))
    terminal.does("pumps", "replacement-indicator", "1", "--seen-on", str(today))
    [ana] = [pump for pump in terminal.tells("pumps", "list") if pump["patient_id"] == 1]
    assert ana["replacement_indicator_on"] == str(today - timedelta(days=10))
    assert ana["replacement_indicator_ends_on"] == str(today + timedelta(days=80))
    future = str(today + timedelta(days=2))
    assert "in the future" in terminal.refuses("pumps", "replacement-indicator", "1", "--seen-on", future)


def test_a_pump_is_corrected_and_replaced(terminal: Terminal, today: date) -> None:
    terminal.does(*PUMP, "--replace-by", "2030-01-01")
    assert terminal.tells("pumps", "list")[0]["replace_by"] == "2030-01-01"
    assert "from 5 to 60 mL" in terminal.refuses("pumps", "record", "1", "--model", "X", "--size", "400")
    terminal.does(*PUMP, "--implanted-on", str(today), "--replaces")
    old, new = terminal.tells("patients", "show", "1")["pumps"]
    assert (old["removed_on"], new["removed_on"], new["implanted_on"]) == (str(today), None, str(today))
    assert f"out since {today}" in terminal.does("patients", "show", "1")
    [due] = terminal.tells("refills", "due")
    assert due["problem"] == "no refill is recorded"
    terminal.does("refills", "record", "1", "--volume", "20", "--concentration", "2000", "--dose", "400")
    assert terminal.tells("refills", "due") == []


def test_a_referral_has_an_owner_until_it_is_done(terminal: Terminal) -> None:
    assert "pumpline staff list" in terminal.refuses("pumps", "referral", "1", "--owner", "nobody@clinic.example")
    assert "referral 1 sent" in terminal.does("pumps", "referral", "1", "--owner", EVA)
    assert "a referral is open" in terminal.refuses("pumps", "referral", "1", "--owner", BEN)
    terminal.does("pumps", "referral-state", "1", "received")
    terminal.does("pumps", "referral-state", "1", "booked", "--owner", BEN)
    [pump] = terminal.tells("pumps", "list")
    assert (pump["referral_state"], pump["referral_owner"]) == ("booked", "Ben Ito")
    assert "1 booked" in terminal.does("pumps", "list")
    assert "only moves forward" in terminal.refuses("pumps", "referral-state", "1", "sent")
    terminal.does("pumps", "referral-state", "1", "done")
    terminal.does("pumps", "referral", "1", "--owner", EVA)
    assert terminal.tells("pumps", "list")[0]["referral_state"] == "sent"
    assert "no such referral" in terminal.refuses("pumps", "referral-state", "9", "done")
    terminal.refuses("pumps", "referral-state", "1", "lost", code=2)


def test_a_scan_is_asked_about_until_the_pump_was_checked(terminal: Terminal, today: date) -> None:
    assert "scan 1" in terminal.does("patients", "scan", "1", "--by", EVA)
    terminal.does("patients", "scan", "1", "--at", f"{today - timedelta(days=1)} 09:00")
    planned = {step["step"] for step in terminal.tells("patients", "show", "1")["steps"]}
    assert {"scan:1", "scan:2"} <= planned
    terminal.does("patients", "scan-checked", "1", "--by", BEN)
    terminal.does("patients", "scan-checked", "2")
    planned = {step["step"] for step in terminal.tells("patients", "show", "1")["steps"]}
    assert not {"scan:1", "scan:2"} & planned
    future = f"{today + timedelta(days=2)} 09:00"
    assert "still to come" in terminal.refuses("patients", "scan", "1", "--at", future)
    assert "no such scan" in terminal.refuses("patients", "scan-checked", "9")
    terminal.refuses("patients", "scan", "1", "--at", "yesterday", code=2)
