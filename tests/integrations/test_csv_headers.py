"""Somebody else's file: its header is read, its columns guessed, and it becomes one of ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.integrations.csv_columns import COLUMNS
from app.integrations.csv_format import FormatError
from app.integrations.csv_headers import (
    MOST_ROWS,
    Header,
    guess_columns,
    read_header,
    read_text,
    what_lacks,
    with_our_names,
)
from tests.integrations.test_csv_format import rows


def header_of(content: str | bytes) -> Header:
    return read_header(read_text(content.encode() if isinstance(content, str) else content))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_with_names_of_its_own_becomes_one_of_ours(separator: str, mark: bytes, end: str) -> None:
    lines = (
        ("Patient ID", "First name", "Last name", "Ward", "Mobile", ""),
        ("1", "Zoë", '"de la Cruz"', '"7, north"', "(614) 555-0123", ""),
    )
    text = read_text(mark + end.join((*(separator.join(line) for line in lines), "")).encode())
    header = read_header(text)
    assert (header.names, header.separator, header.rows) == (
        ("Patient ID", "First name", "Last name", "Ward", "Mobile"),
        separator,
        1,
    )
    columns = guess_columns(header.names)
    assert columns == ("mrn", "given_name", "family_name", "", "phone")
    [row] = rows(with_our_names(text, header, columns))
    assert row.values is not None
    assert (row.values.mrn, row.values.family_name, row.values.phone) == ("1", "de la Cruz", "+16145550123")


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("DOB", "born_on"),
        ("Date of Birth", "born_on"),
        ("Fecha de nacimiento", "born_on"),
        ("Teléfono móvil", "phone"),
        ("Apellidos", "family_name"),
        ("N.º", ""),
        ("Dosis (mcg/día)", "daily_dose_mcg"),
        ("Última recarga", "last_filled_on"),
        ("PROGRAM", ""),
    ],
)
def test_usual_names_are_understood_in_both_languages(name: str, ours: str) -> None:
    assert guess_columns([name]) == (ours,)


def test_our_own_names_are_known_and_go_before_others() -> None:
    assert guess_columns(COLUMNS) == COLUMNS
    assert guess_columns(["Mobile", "phone", "Patient ID", "Chart number"]) == ("", "phone", "mrn", "")


def test_what_every_file_needs_is_told() -> None:
    assert what_lacks(["mrn", "", "phone"]) == ("given_name", "family_name")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n \n", "empty"),
        ("mrn,phone".encode("utf-16"), "UTF-16"),
        (b"mrn,given_name,family_name,phone\n1,Zo\xeb,Ruiz,+16145550123\n", "line 2 is not UTF-8"),
        (b"PK\x03\x04\x14\x00\x06\x00", "no CSV"),
        (b"mrn,a,b,c\n1,\x00,3,4\n", "no CSV"),
        (b"one\ntwo\n", "too few columns"),
        (b'"mrn,given_name\n1,2\n', "header is broken"),
        (b'mrn,a,b,c\n1,"2,3,4\n5,6,7,8\n', "row 2 is broken"),
        (b"mrn,a,b,c\n\n , , ,\n", "no rows"),
        (b"mrn,a,b,c\n" + b"1,2,3,4\n" * (MOST_ROWS + 1), "pumpline import"),
        (b"," .join([b"a"] * 300) + b"\n1\n", "more than 200 columns"),
        (b"mrn,a,b,c\n1," + b"x" * 200_000 + b",3,4\n", "row 2 is broken"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_a_remedy(content: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        header_of(content)


def test_the_longest_file_that_is_taken_is_taken() -> None:
    assert header_of(b"mrn,a,b,c\n" + b"1,2,3,4\n" * MOST_ROWS).rows == MOST_ROWS


def test_a_line_separator_within_a_cell_is_no_new_row() -> None:
    assert header_of("mrn,a,b,c\n1,2\u2028x\x85y,3,4\n").rows == 1


@given(st.binary(max_size=400))
def test_rubbish_is_read_or_refused_and_never_more(content: bytes) -> None:
    try:
        text = read_text(content)
        header = read_header(text)
    except FormatError:
        return
    columns = guess_columns(header.names)
    assert with_our_names(text, header, columns).count(b"\n") == max(text.count("\n"), 1)
