"""Importing in the console: upload, say which column is which, look, import once, undo."""

import logging
import random
import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.actions import commit_import as committing
from app.actions.add_staff import add_staff
from app.actions.import_write import ChunkWriter
from app.actions.line import Line
from app.db.imports import ImportBatch, ImportChange, ImportState
from app.db.people import Clinic, Patient
from app.db.work import AuditEvent
from app.integrations.csv_columns import COLUMNS
from app.integrations.csv_headers import LARGEST_FILE, MOST_ROWS
from tests.conftest import FrozenClock
from tests.web.conftest import PASSWORD, TOKEN, Visitor
from tests.web.test_authorisation import form_token
from tests.web.test_form_fuzz import RUBBISH
from tests.web.test_spanish import WORD, Own, english_left

START = "/staff/patients/import"
HEADER = "Patient ID,First name,Last name,Mobile,Next visit,Ward"
FILE = f"{HEADER}\n1,Ana,Ruiz,+16145550123,2026-12-17 10:30,7\n2,Ben,Ito,+16145550125,,8\n"
FORM_ID = re.compile(r'name="form_id" value="([0-9a-f]+)"')
VERSION = re.compile(r'name="version" value="(\d+)"')

SELECTED = re.compile(r'<select[^>]*name="(column_\d+)"(?:(?!</select>).)*?value="(\w+)" selected', re.DOTALL)
STRANGE = (
    "A" * 90_000,
    "=1+2",
    "+cmd",
    "@SUM(1)",
    "\u202e",
    "\U0001f600",
    '"a\nb"',
    "<script>x</script>",
    "{{7*7}}",
    "%s",
)


class Lead(Visitor):
    """A lead nurse with a file."""

    def uploads(self, content: str | bytes = FILE, *, form_id: str = "", name: str = "p.csv") -> TestResponse:
        page = self.get(START).text
        token, made = TOKEN.search(page), FORM_ID.search(page)
        assert token
        assert made
        data = content.encode() if isinstance(content, str) else content
        fields: dict[str, Any] = {"csrf_token": token[1], "form_id": form_id or made[1], "file": (BytesIO(data), name)}
        return self.client.post(START, data=fields, content_type="multipart/form-data", headers=self.headers)

    def waits(self, content: str | bytes = FILE) -> str:
        """Upload, and return the import's address."""
        answer = self.uploads(content)
        assert answer.status_code == 302, re.findall(r"field-error.*?</p>", answer.text)
        return answer.headers["Location"].removesuffix("/columns")

    def maps(self, at: str, **columns: str) -> TestResponse:
        page = self.page(f"{at}/columns")
        chosen = {f"column_{place}": "" for place in range(page.count("<select"))}
        for place, name in re.findall(
            r'<select[^>]*name="(column_\d+)"(?:(?!</select>).)*?value="(\w+)" selected', page, re.S
        ):
            chosen[place] = name
        return self.does(at, "columns", f"{at}/columns", **chosen | columns)

    def tried(self, content: str | bytes = FILE) -> str:
        at = self.waits(content)
        answer = self.maps(at)
        assert answer.status_code == 302, answer.text
        return at

    def does(self, at: str, act: str, seen_on: str = "", **fields: str) -> TestResponse:
        version = VERSION.search(self.get(seen_on or at).text)
        return self.post(f"{at}/{act}", seen_on=seen_on or at, **{"version": version[1] if version else "1"} | fields)

    def imports(self, content: str | bytes = FILE) -> str:
        at = self.tried(content)
        assert self.does(at, "commit", which="all").status_code == 302
        assert "Imported" in self.page(at)
        return at


@pytest.fixture
def lead(app: Flask, line: Line, clock: FrozenClock) -> Lead:
    add_staff(line.db, "lea@clinic.example", "Lea Lead", "lead_nurse", PASSWORD, clock())
    lea = Lead(app.test_client())
    assert lea.sign_in("lea@clinic.example").status_code == 302
    return lea


def names(line: Line) -> list[str]:
    with line.db.read() as session:
        return sorted(session.scalars(select(Patient.given_name)))


def test_a_file_is_uploaded_mapped_tried_and_imported(lead: Lead, line: Line) -> None:
    at = lead.waits()
    page = lead.page(f"{at}/columns")
    assert "Ward" in page
    assert page.count(" selected") == 5
    for cell in ("Ana", "Ruiz", "555", "2026-12-17"):
        assert cell not in page, "the cells of the file are not shown"
    assert lead.maps(at).headers["Location"] == at
    dry = lead.page(at)
    assert "nothing is written yet" in dry
    assert "Import all 2 patients" in dry
    assert names(line) == []
    assert lead.does(at, "commit", which="all").headers["Location"] == at
    assert names(line) == ["Ana", "Ben"]
    done = lead.page(at)
    assert "Undo this import" in done
    assert "4 reminders planned" in done
    listed = lead.page(START)
    assert "Lea Lead" in listed
    assert "imported: 2 patients created" in listed
    with line.db.read() as session:
        assert session.scalar(select(ImportBatch.content)) is None, "the file is not kept"
        assert session.scalars(select(AuditEvent.actor).where(AuditEvent.verb == "import")).one().startswith("staff:")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_usual_kinds_of_csv_are_taken(lead: Lead, line: Line, separator: str, mark: bytes) -> None:
    lead.imports(mark + FILE.replace(",", separator).encode())
    assert names(line) == ["Ana", "Ben"]


def test_spanish_headers_and_pages(lead: Lead, line: Line) -> None:
    lead.headers["Accept-Language"] = "es"
    at = lead.waits(FILE.replace(HEADER, "Historia clínica,Nombre,Apellidos,Móvil,Próxima cita,Sala"))
    page = lead.page(f"{at}/columns")
    assert page.count(" selected") == 5
    assert "Apellidos" in page
    assert lead.maps(at).status_code == 302
    assert "todavía no se ha escrito nada" in lead.page(at)
    at = lead.tried(FILE.replace("+16145550125", "12").replace("2026-12-17", "17/12/2026"))
    page = lead.page(at)
    assert "No es un número de teléfono completo" in page
    assert "Fila" in page


def test_no_step_says_anything_in_english_to_a_spanish_reader(lead: Lead, line: Line, clock: FrozenClock) -> None:
    names = {"ana", "ruiz", "ben", "ito", "lea", "lead", "northgate", "mrn", "csv", "utf", "zona"}
    names |= {word.lower() for column in COLUMNS for word in WORD.findall(column.replace("_", " "))}
    names |= {word.lower() for word in WORD.findall(HEADER)} | {"yes", "no", "carer", "patient", "import", "md", "docs"}
    own, left = Own(names | {"pump", "clinic", "pumpline", "america", "chicago", "new", "york", "est"}, ()), []

    def both(path: str) -> None:
        lead.headers.pop("Accept-Language", None)
        english = lead.page(path)
        lead.headers["Accept-Language"] = "es"
        left.extend(f"{path}: {words}" for words in english_left(english, lead.page(path), own))
        lead.headers.pop("Accept-Language")

    at = lead.waits(FILE.replace("+16145550125", "12").replace("2026-12-17", "17/12/2026"))
    both(START)
    both(f"{at}/columns")
    lead.maps(at)
    both(at)
    at = lead.imports()
    both(at)
    lead.does(at, "undo")
    both(at)
    both(START)
    with line.db.begin() as session:
        batch = session.scalars(select(ImportBatch).order_by(ImportBatch.id)).first()
        assert batch
        batch.state, batch.moved_at, batch.began_at = ImportState.STOPPED, clock(), clock()
    both(f"{START}/{batch.id}")
    assert not left, "\n".join(left)


def test_errors_of_rows_name_row_column_and_remedy_and_never_the_cell(lead: Lead, line: Line) -> None:
    at = lead.tried(FILE.replace("+16145550125", "secret12").replace("2026-12-17", "17/12/2026 secret"))
    page = lead.page(at)
    assert "Is not a complete phone number" in page
    assert "secret" not in page
    assert "Import all" not in page
    assert "No patient of this file is without errors" in page
    assert "Import only" not in page


def test_only_the_patients_without_errors_are_imported_where_that_is_asked_for(lead: Lead, line: Line) -> None:
    at = lead.tried(FILE.replace("+16145550125", "12"))
    assert "Import only this 1 patient" in lead.page(at)
    refused = lead.does(at, "commit", which="all")
    assert refused.status_code == 302
    assert "Not imported" in lead.page(at)
    assert names(line) == []
    lead.does(at, "commit", which="valid")
    assert names(line) == ["Ana"]
    assert "1 patient with errors left out" in lead.page(at)


def test_a_column_that_every_file_needs_is_asked_for_and_the_choice_is_kept(lead: Lead) -> None:
    at = lead.waits(FILE.replace("Mobile", "Number"))
    answer = lead.maps(at)
    assert answer.status_code == 422
    assert "no column is chosen for them: Phone" in answer.text
    assert answer.text.count(" selected") == 4
    answer = lead.maps(at, column_3="mrn")
    assert answer.status_code == 422
    answer = lead.maps(at, column_3="phone", column_5="phone")
    assert "Chosen for more than one column: Phone" in answer.text
    assert lead.maps(at, column_3="phone").status_code == 302


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "The file is no CSV"),
        (b"PK\x03\x04\x00", "no CSV"),
        (FILE.encode("utf-16"), "UTF-16"),
        (FILE.replace("Ruiz", "Núñez").encode("cp1252"), "Line 2 is not UTF-8"),
        (FILE.replace("Ana", "A\0na"), "no CSV"),
        (HEADER + "\n", "no rows"),
        ("just one line of prose\nand another\n", "too few columns"),
        (FILE.replace("Ana", '"Ana'), "Row 2 is broken"),
        (FILE.replace("Ana", "A" * 200_000), "Row 2 is broken"),
        (HEADER + "\n" + "1,2,3,4,5,6\n" * (MOST_ROWS + 1), "pumpline import"),
        (b"a" * (LARGEST_FILE + 1), "larger than 5 MB"),
        (b"a" * (LARGEST_FILE + 100_000), "At most 5 MB"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_a_sentence(lead: Lead, line: Line, content: bytes | str, says: str) -> None:
    answer = lead.uploads(content)
    assert answer.status_code in (413, 422)
    assert says in answer.text.replace("&#34;", '"')
    with line.db.read() as session:
        assert session.scalar(select(func.count(ImportBatch.id))) == 0


@pytest.mark.parametrize("cell", STRANGE)
def test_strange_cells_are_imported_or_refused_and_break_nothing(lead: Lead, line: Line, cell: str) -> None:
    at = lead.tried(FILE.replace("Ana", cell))
    page = lead.page(at)
    if "Import all 2" in page:
        lead.does(at, "commit", which="all")
        assert cell in names(line)
    else:
        assert "Given name" in page
        assert cell not in page


def test_a_file_without_a_header_is_told_so(lead: Lead) -> None:
    at = lead.waits("1,Ana,Ruiz,+16145550123\n2,Ben,Ito,+16145550125\n")
    assert "Is row 1 of the file its header?" in lead.page(f"{at}/columns")


def test_no_other_form_may_be_that_large(lead: Lead) -> None:
    token = form_token(lead)
    fields = {"csrf_token": token, "body": "a" * 300_000}
    assert lead.client.post("/staff/patients/search", data=fields).status_code == 413


def test_the_same_form_sent_twice_is_one_file(lead: Lead, line: Line) -> None:
    first, again = (lead.uploads(form_id="0123456789abcdef") for _ in range(2))
    assert first.headers["Location"] == again.headers["Location"]


def test_sent_twice_it_is_imported_once(lead: Lead, line: Line) -> None:
    at = lead.tried()
    version = VERSION.search(lead.page(at))
    assert version
    for _ in range(2):
        assert lead.post(f"{at}/commit", seen_on=at, version=version[1], which="all").status_code == 302
    with line.db.read() as session:
        assert session.scalar(select(func.count(AuditEvent.id)).where(AuditEvent.verb == "import")) == 1
    assert names(line) == ["Ana", "Ben"]


def test_while_it_is_being_written_nobody_begins_it_again(lead: Lead, line: Line, clock: FrozenClock) -> None:
    at = lead.tried()
    with line.db.begin() as session:
        batch = session.scalars(select(ImportBatch)).one()
        batch.state, batch.moved_at, batch.began_at = ImportState.WRITING, clock(), clock()
    assert "Being imported" in lead.page(at)
    assert lead.post(f"{at}/commit", seen_on=START, version=2, which="all").status_code == 302
    assert "is being written" in lead.page(at)
    assert names(line) == []
    clock.forward(minutes=6)
    assert "Stopped in the middle" in lead.page(at)
    lead.does(at, "commit", which="all", proof_of_person=PASSWORD)
    assert names(line) == ["Ana", "Ben"]


def test_what_was_looked_at_is_what_is_imported(lead: Lead, line: Line) -> None:
    at = lead.tried()
    old = VERSION.search(lead.page(at))
    assert old
    assert lead.maps(at, column_4="").status_code == 302
    lead.post(f"{at}/commit", seen_on=at, version=old[1], which="all")
    assert "changed meanwhile" in lead.page(at)
    assert names(line) == []


def test_a_machine_that_stops_in_the_middle_goes_on_where_it_was(
    lead: Lead, line: Line, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = app.testing = False
    rows = "".join(f"{n},P{n},Ruiz,+1614555{n:04},,\n" for n in range(2500))
    at = lead.tried(HEADER + "\n" + rows)
    write, chunks = ChunkWriter.write, []

    def falls_over(self: ChunkWriter, session: Any, chunk: Any) -> None:
        chunks.append(len(chunk))
        if len(chunks) == 2:
            raise OSError("the disk is full")
        write(self, session, chunk)

    monkeypatch.setattr(ChunkWriter, "write", falls_over)
    assert lead.does(at, "commit", which="all").status_code == 500
    monkeypatch.undo()
    assert len(names(line)) == 1000
    assert "Stopped in the middle" in lead.page(at)
    assert lead.does(at, "commit", which="all").status_code == 302
    assert len(names(line)) == 2500
    with line.db.read() as session:
        counts = session.scalars(select(ImportBatch.counts)).one()
        assert counts
        assert counts["kinds"]["patients"] == {"created": 2500, "updated": 0, "unchanged": 0}
    assert "The import is undone" in follow(lead, lead.does(at, "undo"))
    assert names(line) == []


def follow(lead: Lead, answer: TestResponse) -> str:
    assert answer.status_code == 302, answer.status_code
    return lead.page(answer.headers["Location"])


def test_an_import_that_stopped_can_be_undone_as_it_is(
    lead: Lead, line: Line, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = app.testing = False
    at = lead.tried()
    monkeypatch.setattr(committing, "_counts", lambda *_: 1 / 0)
    lead.does(at, "commit", which="all")
    monkeypatch.undo()
    assert len(names(line)) == 2
    with line.db.begin() as session:
        session.scalars(select(ImportBatch)).one().moved_at -= timedelta(hours=1)  # type: ignore[operator]
    assert "The import is undone" in follow(lead, lead.does(at, "undo"))
    assert names(line) == []


def test_undoing_says_what_it_did_and_the_list_says_who(lead: Lead, line: Line) -> None:
    at = lead.imports()
    page = follow(lead, lead.does(at, "undo"))
    assert "2 removed" in page
    assert names(line) == []
    assert "by Lea Lead" in lead.page(START)
    assert "Undo this import" not in page


def test_phones_that_agreed_to_texts_are_said_to_stay(lead: Lead) -> None:
    at = lead.imports(FILE.replace("Ward", "Consent").replace(",7", ",yes").replace(",8", ",yes"))
    page = follow(lead, lead.does(at, "undo"))
    assert "2 stay, with what was agreed or texted" in page


def test_undoing_is_refused_with_the_names_of_whoever_texted(
    lead: Lead, line: Line, texts: Callable[..., Any], clock: FrozenClock
) -> None:
    at = lead.imports()
    clock.forward(minutes=1)
    texts("+16145550123", "REFILL")
    answer = lead.does(at, "undo")
    assert answer.status_code == 409
    assert "Texts went to them or came from them since: 1 patient" in answer.text
    assert "Ruiz" in answer.text
    assert "Ito" not in answer.text
    assert names(line) == ["Ana", "Ben"]
    with line.db.read() as session:
        seen = session.scalars(select(AuditEvent.detail).where(AuditEvent.verb == "saw a list")).all()
        assert any(detail and detail["page"] == "undo_import_form" for detail in seen)


def test_importing_and_undoing_ask_whether_it_is_still_the_same_person(
    lead: Lead, line: Line, clock: FrozenClock
) -> None:
    at = lead.tried()
    clock.forward(minutes=10)
    asked = lead.does(at, "commit", which="all")
    assert "Is it still you?" in asked.text
    assert names(line) == []
    lead.does(at, "commit", which="all", proof_of_person=PASSWORD)
    assert names(line) == ["Ana", "Ben"]
    clock.forward(minutes=10)
    assert "Is it still you?" in lead.does(at, "undo").text


def test_a_file_that_waits_is_its_owners_alone_and_cancelling_forgets_it(
    app: Flask, lead: Lead, line: Line, clock: FrozenClock
) -> None:
    at = lead.tried()
    add_staff(line.db, "leo@clinic.example", "Leo Other", "lead_nurse", PASSWORD, clock())
    leo = Lead(app.test_client())
    leo.sign_in("leo@clinic.example")
    assert leo.get(at).status_code == leo.get(f"{at}/columns").status_code == 404
    assert leo.post(f"{at}/commit", seen_on=START, version=2, which="all").status_code == 404
    assert at not in leo.page(START)
    assert lead.does(at, "cancel").headers["Location"] == START
    with line.db.read() as session:
        assert session.scalar(select(ImportBatch.content)) is None
    assert follow(lead, lead.get(at))
    assert names(line) == []


def test_another_clinics_import_is_not_there(app: Flask, lead: Lead, line: Line, clock: FrozenClock) -> None:
    at = lead.imports()
    with line.db.begin() as session:
        here = session.scalars(select(Clinic)).one()
        there = Clinic(
            name="South", phone=here.phone, after_hours_phone=here.phone, time_zone="UTC", created_at=clock()
        )
        session.add(there)
        session.flush()
        clinic_id = there.id
    add_staff(line.db, "bea@other.example", "Bea Other", "lead_nurse", PASSWORD, clock(), clinic_id)
    bea = Lead(app.test_client())
    bea.sign_in("bea@other.example")
    assert bea.get(at).status_code == bea.get(f"{at}/columns").status_code == 404
    for act in ("undo", "commit", "cancel", "columns"):
        assert bea.post(f"{at}/{act}", seen_on=START, version=3).status_code == 404, act
    assert "Lea Lead" not in bea.page(START)
    assert names(line) == ["Ana", "Ben"]


def test_nothing_of_a_file_stands_in_the_log_in_an_address_or_in_the_audit(
    lead: Lead, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    at = lead.tried(FILE.replace("+16145550125", "12"))
    lead.does(at, "commit", which="valid")
    lead.does(at, "undo")
    said = caplog.text + at
    with line.db.read() as session:
        said += str(session.execute(select(AuditEvent.subject, AuditEvent.detail)).all())
        said += str(session.execute(select(ImportBatch.findings, ImportBatch.counts, ImportBatch.columns)).all())
    for secret in ("Ruiz", "Ito", "5550123", "Ward"):
        assert secret not in said, secret


def test_rubbish_in_the_forms_of_a_waiting_file_gives_a_sentence(app: Flask, lead: Lead) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = app.testing = False
    at, chance = lead.tried(), random.Random(7)
    token = form_token(lead)
    for _ in range(30):
        fields = {f"column_{place}": chance.choice(RUBBISH) for place in range(6)}
        fields |= {name: chance.choice(RUBBISH) for name in ("version", "which", "form_id", "file")}
        for path in (f"{at}/columns", f"{at}/commit", f"{at}/undo", START):
            answer = lead.client.post(path, data=fields | {"csrf_token": token}, headers=lead.headers)
            assert answer.status_code in (302, 413, 422), (path, fields)
    assert "nothing is written yet" in lead.page(at)


def test_changes_are_kept_sealed(lead: Lead, line: Line) -> None:
    lead.imports()
    lead.imports(FILE.replace("Ruiz", "Rojas"))
    with line.db.read() as session:
        kept = session.scalars(select(ImportChange).where(ImportChange.old.is_not(None))).one()
        assert kept.old is not None
        assert "Ruiz" in kept.old
    raw = line.db.engine.raw_connection()
    cells = raw.cursor().execute("SELECT old, new FROM import_change").fetchall()
    raw.close()
    assert not any(b"Ruiz" in (cell or b"") for row in cells for cell in row)
