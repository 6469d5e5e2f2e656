"""Put into the index of names whoever is not in it: after an upgrade, or named anew by something that knew no key."""

from datetime import datetime

from app.actions.line import Line
from app.db.name_index import any_to_index, names_to_index
from app.db.name_index import index_names as put

BATCH = 500


def index_names(line: Line, _: datetime) -> int:
    """Index everybody who is not; return how many there were. A batch is one transaction: texts go in between."""
    done = 0
    while True:
        with line.db.read() as session:  # nearly always there is nobody, and then no writer's turn is taken
            if not any_to_index(session):
                return done
        with line.db.begin() as session:
            people = names_to_index(session, BATCH)
            put(line.db, session, people)
        done += len(people)
