"""Which of the console's words have no Spanish yet, and which Spanish nobody asks for any more.

python -m tools.words            # lists both; exit 1 when there is anything
python -m tools.words app/web/console/pumps.py app/web/templates/console/pump.html   # of these files only
"""

import ast
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract_python
from jinja2.ext import babel_extract

from app.web.language import LANGUAGES, catalogues

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "app" / "web" / "templates"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
OPTIONS = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
NOT_CONSOLE = {"home.html", "simulator.html"}  # what patients and visitors see
REFUSING = ("app/actions", "app/domain")  # whose refusals a nurse reads
_NOT_SHOWN = """
    actions/add_staff actions/advance_clock actions/back_up actions/change_care_policy actions/change_role
    actions/each actions/empty_target actions/import_patients actions/move_database actions/pick_phone
    actions/plan_care actions/prepare actions/queue_due_reminders actions/receive_text actions/record_why
    actions/restore actions/take_care_steps
    domain/pump domain/pump_values domain/replies domain/texts domain/visit_talk
"""
NOT_SHOWN = {f"app/{name}.py" for name in _NOT_SHOWN.split()}  # what only a command, the simulator or a log says
COMPOSED = ("audit", "sentences")  # catalogues of what code puts together from parts
NOT_SAID = {"RuntimeError", "TypeError"}  # faults of ours, for the log
SAYING = (  # what is wrong with a file, and what to do
    "app/integrations/csv_columns.py",
    "app/integrations/csv_format.py",
    "app/integrations/csv_headers.py",
    "app/actions/import_check.py",
)
_PLURAL = re.compile(r"""plural\(['"]([^'"]+)['"](?:, ?['"]([^'"]+)['"])?""")
_PLURAL_OF = re.compile(r"""plural\([^()"]+(?:\([^()]*\)[^()"]*)?, "([^"]+)"(?:, "([^"]+)")?\)""")
_SLOT = re.compile(r"\{[^{}]*\}|%\(\w+\)[sd]")


def asked_for(only: set[Path] | None = None) -> dict[str, str]:
    """Return every message in the sources, with the place of its first use."""
    found: dict[str, str] = {}
    for path in _sources():
        if only is None or path in only:
            for message, line in _messages(path):
                found.setdefault(message, f"{path.relative_to(ROOT)}:{line}")
    return found


def translated(code: str, *, composed: bool = True) -> dict[str, str]:
    """Return what a language has, each message with its words; of a message with a plural, both.

    Not `composed`: without the sentences that code puts together from parts, which stand nowhere whole.
    """
    found: dict[str, str] = {}
    for catalogue in catalogues(code, *(() if composed else COMPOSED)):
        for message in catalogue:
            ids = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
            strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
            if message.id and not message.fuzzy:
                for message_id, words in zip(ids, strings, strict=True):
                    if found.get(message_id, words) != words:
                        raise ValueError(f"two translations of {message_id!r}: {found[message_id]!r}, {words!r}")
                    found[message_id] = words
    return {message_id: words for message_id, words in found.items() if words}


def stale(messages: set[str]) -> list[str]:
    """Return the messages that stand nowhere: not in the sources, not as words that are shown through `tr`."""
    everything = "\n".join(
        " ".join(re.sub(r'"\s*\n\s*f?"', "", path.read_text()).split())
        for place in ("app", "faq", "scheduler")
        for path in (ROOT / place).rglob("*")
        if path.suffix in (".py", ".html", ".yaml", ".md", ".js")
    ).lower()
    return sorted(
        message
        for message in messages
        if not any(part in everything for part in _parts(message)[:1]) and _parts(message)
    )


def _parts(message: str) -> list[str]:
    """Return the fixed words of a message, the longest first."""
    return sorted((part.strip().lower() for part in _SLOT.split(message) if part.strip()), key=len, reverse=True)


def wrong_slots(code: str) -> list[str]:
    """Return the messages whose translation does not fill the same slots."""
    return [
        message
        for message, words in translated(code).items()
        if set(_SLOT.findall(message)) != set(_SLOT.findall(words))
        and not (set(_SLOT.findall(message)) ^ set(_SLOT.findall(words)) <= {"%(num)d", "%(num)s"})
    ]


def _sources() -> Iterator[Path]:
    yield from sorted(path for path in TEMPLATES.rglob("*.html") if path.name not in NOT_CONSOLE)
    for place in ("app/web", *REFUSING):
        yield from sorted((ROOT / place).rglob("*.py"))
    yield from (ROOT / name for name in SAYING if not name.startswith(REFUSING))


def _messages(path: Path) -> Iterator[tuple[str, int]]:
    source = path.read_bytes()
    if path.suffix == ".html":
        extracted = babel_extract(BytesIO(source), KEYWORDS, (), OPTIONS)
    else:
        extracted = extract_python(BytesIO(source), KEYWORDS, (), {})
        name = str(path.relative_to(ROOT))
        if name.startswith((*REFUSING, *SAYING)) and name not in NOT_SHOWN:
            yield from _refusals(ast.parse(source))
        if name in SAYING:
            yield from _problems(ast.parse(source))
    for line, _, messages, _ in extracted:
        for message in (messages,) if isinstance(messages, str) else messages or ():
            if message:
                yield message, line
    text = source.decode()
    for pattern in (_PLURAL, _PLURAL_OF):
        for match in pattern.finditer(text):
            yield match[1], text.count("\n", 0, match.start()) + 1
            yield match[2] or f"{match[1]}s", text.count("\n", 0, match.start()) + 1


def _refusals(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield what is said where something is raised or a task given its reason, with its slots."""
    for node in ast.walk(tree):
        said: list[ast.expr] = []
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            said = [] if ast.unparse(node.exc.func) in NOT_SAID else node.exc.args
        elif isinstance(node, ast.Call):
            said = [word.value for word in node.keywords if word.arg == "reason"]
        for each in said:
            words = _words(each)
            if " " in words:
                yield words, each.lineno


def _problems(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield what is said of a row: a column, what is wrong with it, and the remedy."""
    for node in ast.walk(tree):
        said: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RowError":
            said = node.args
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            said = [node.value] if node.targets[0].id in ("what", "remedy") else []
        elif isinstance(node, ast.Tuple) and len(node.elts) == 3 and not isinstance(node.elts[0], ast.Tuple):
            said = node.elts[1:]
        for each in said:
            words = _words(each)
            if " " in words:
                yield words, each.lineno


def _words(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (
            part.value if isinstance(part, ast.Constant) else "{" + ast.unparse(part.value) + "}"  # type: ignore[attr-defined]
            for part in node.values
        )
        return "".join(str(part) for part in parts)
    return ""


def main(arguments: list[str]) -> int:
    only = {(ROOT / name).resolve() for name in arguments} or None
    asked = asked_for(only)
    lacking = 0
    for code in LANGUAGES:
        if code == "en":
            continue
        known = translated(code)
        for message, place in asked.items():
            if message not in known:
                print(f"{place}: no {code} for {message!r}")
                lacking += 1
        for message in wrong_slots(code):
            print(f"{code}: other slots in {message!r}")
            lacking += 1
        if only is None:
            for message in stale(set(translated(code, composed=False)) - set(asked)):
                print(f"{code}: nobody asks for {message!r}")
                lacking += 1
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
