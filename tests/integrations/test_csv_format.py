"""The import file: what is accepted, and that every error names row, column and remedy but never the value."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.integrations.csv_columns import COLUMNS, RowReader
from app.integrations.csv_format import FormatError, Row, read_rows

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOOD = {"mrn": "1", "given_name": "Ana", "family_name": "Ruiz", "phone": "+16145550123"}
PUMP = {"pump_model": "SynchroMed II", "reservoir_size_ml": "40"}
PROGRAM = {"concentration_mcg_per_ml": "2000", "daily_dose_mcg": "350", "alarm_volume_ml": "4"}
REFILL = {"last_filled_on": "2026-11-01", "reservoir_volume_ml": "40"}


def rows(content: str | bytes) -> list[Row]:
    data = content.encode() if isinstance(content, str) else content
    return list(read_rows(data.splitlines(keepends=True), RowReader("US", ZoneInfo("America/New_York"), NOW)))


def one(**cells: str) -> Row:
    given = GOOD | cells
    [row] = rows(",".join(given) + "\n" + ",".join(f'"{cell}"' for cell in given.values()) + "\n")
    return row


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_usual_kinds_of_csv_are_read(separator: str, mark: bytes, end: str) -> None:
    text = separator.join(["MRN", "Given_Name", "FAMILY_NAME", "phone", "x_ward"]) + end
    text += separator.join(["1", "Zoë", '"de la Cruz"', "(614) 555-0123", "7"]) + end + end
    [row] = rows(mark + text.encode())
    assert row.values is not None
    assert (row.values.given_name, row.values.family_name, row.values.phone) == ("Zoë", "de la Cruz", "+16145550123")
    assert row.number == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\xff\xfem\x00", "UTF-16"),
        (b"mrn,given_name,family_name,phone\n1,Zo\xeb,R,+16145550123\n", "line 2 is not UTF-8"),
        (b"mrn,given_name,family_name\n", "phone is missing"),
        (b"mrn,given_name,family_name,phone,ward\n", "unknown column ward"),
        (b"mrn,mrn,given_name,family_name,phone\n", "twice"),
        (b"1,Ana,Ruiz,+16145550123\n", "not a header"),
        (b'mrn,given_name,family_name,phone\n1,"Ana,Ruiz,+16145550123\n', "row 2 is broken"),
    ],
)
def test_a_file_that_is_no_table_says_what_to_do(content: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        rows(content)


@pytest.mark.parametrize(
    ("cells", "column", "says"),
    [
        ({"phone": "12"}, "phone", "not a complete phone number"),
        ({"phone": "900 555 0142"}, "phone", "costs extra"),
        ({"given_name": ""}, "given_name", "blank"),
        ({"born_on": "03/09/1984"}, "born_on", "not a date"),
        ({"born_on": "1984-02-30"}, "born_on", "calendar"),
        ({"born_on": "2030-01-01"}, "born_on", "future"),
        ({"language": "fr"}, "language", "en or es"),
        ({"time_zone": "Mars/Base"}, "time_zone", "not a time zone"),
        ({"contact": "cat"}, "contact", "patient or carer"),
        ({"carer_name": "Luis"}, "carer_name", "patient's own phone"),
        ({"consent": "maybe"}, "consent", "yes or no"),
        ({"pump_model": "SynchroMed II"}, "reservoir_size_ml", "blank though"),
        (PROGRAM, "concentration_mcg_per_ml", "without a pump"),
        (PUMP | {"daily_dose_mcg": "350"}, "concentration_mcg_per_ml", "blank though"),
        (PUMP | PROGRAM | {"daily_dose_mcg": "2001"}, "daily_dose_mcg", "from 1 to 2000"),
        (PUMP | PROGRAM | {"concentration_mcg_per_ml": "2"}, "concentration_mcg_per_ml", "did you mean 2000?"),
        (PUMP | PROGRAM | {"concentration_mcg_per_ml": "0.5"}, "concentration_mcg_per_ml", "did you mean 500?"),
        (PUMP | PROGRAM | {"daily_dose_mcg": "1,500"}, "daily_dose_mcg", "comma"),
        (PUMP | PROGRAM | {"daily_dose_mcg": "350 mcg"}, "daily_dose_mcg", "without a unit"),
        (PUMP | PROGRAM | REFILL | {"alarm_volume_ml": "20", "reservoir_volume_ml": "20"}, "alarm_volume_ml", "less"),
        (PUMP | REFILL | {"reservoir_volume_ml": "41"}, "reservoir_volume_ml", "more than reservoir_size_ml"),
        (PUMP | REFILL | {"last_filled_on": "2026-11-23"}, "last_filled_on", "future"),
        (PUMP | REFILL | {"implanted_on": "2026-11-10"}, "last_filled_on", "before the pump was implanted"),
        ({"appointment_at": "2026-12-03"}, "appointment_at", "no time of day"),
        ({"appointment_at": "soon"}, "appointment_at", "not a day and time"),
        ({"appointment_at": "2027-03-14 02:30"}, "appointment_at", "does not exist"),
        ({"appointment_at": "2062-12-03 10:30"}, "appointment_at", "two years ahead"),
        ({"appointment_id": "V1"}, "appointment_at", "blank though"),
    ],
)
def test_an_absurd_cell_is_refused(cells: dict[str, str], column: str, says: str) -> None:
    row = one(**cells)
    assert row.values is None
    [error] = [error for error in row.errors if error.column == column]
    assert says in str(error)
    assert str(error).startswith(f"row 2, {column}: ")


def test_errors_hold_no_name_and_no_number() -> None:
    said = " ".join(str(error) for error in one(phone="998877", given_name="Xanthippe" * 20, language="Q").errors)
    assert "998877" not in said
    assert "Xanthippe" not in said


def test_a_visit_is_read_in_the_clinics_time_or_with_an_offset() -> None:
    expected = datetime(2026, 12, 3, 15, 30, tzinfo=UTC)
    for cell in ("2026-12-03 10:30", "2026-12-03T10:30-05:00", "2026-12-03T15:30Z"):
        values = one(appointment_at=cell).values
        assert values is not None
        assert values.appointment_at == expected


def test_a_whole_row_is_read() -> None:
    values = one(**PUMP, **PROGRAM, **REFILL, born_on="1984-03-09", consent="YES", implanted_on="2023-05-17").values
    assert values is not None
    assert values.pump is not None
    assert values.pump.implanted_on == date(2023, 5, 17)
    assert values.consent is True
    assert values.reminders is None


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(st.characters(exclude_characters='"', codec="utf-8"))))
def test_no_cell_breaks_the_reader(cells: dict[str, str]) -> None:
    reader = RowReader("US", ZoneInfo("America/New_York"), NOW)
    values, problems = reader.read({name: cell.strip() for name, cell in (GOOD | cells).items() if cell.strip()})
    assert (values is None) == bool(problems)
