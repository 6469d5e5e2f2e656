"""Every setting and command documented; every link and picture in the docs leads somewhere.

Run as `python -m tools.check_docs`; prints what is missing, a line each, and exits 1.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from app.cli import COMMANDS, cli
from app.integrations.csv_columns import COLUMNS
from app.settings import Settings, variable_of

ROOT = Path(__file__).parent.parent

# [words](target "title") and ![picture](target), outside code; and src="..." of pictures set with HTML
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_SRC = re.compile(r"\b(?:src|srcset|href)=\"([^\"\s]+)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def problems(root: Path = ROOT) -> list[str]:
    """Return what is wrong, a sentence each."""
    return [*_settings(root), *_commands(root), *_columns(root), *_links(root), *_changelog(root)]


def _settings(root: Path) -> Iterator[str]:
    text = _read(root / "docs/settings.md")
    for field in Settings.model_fields:
        if not _names(text, variable_of(field)):
            yield f"docs/settings.md: {variable_of(field)} is not described"


def _commands(root: Path) -> Iterator[str]:
    text = _read(root / "docs/commands.md")
    for words, command in _all_commands():
        section = _section(text, words)
        if section is None:
            yield f"docs/commands.md: there is no heading for `{words}`"
            continue
        for option in command.params:
            if isinstance(option, click.Option) and not any(name in section for name in option.opts):
                yield f"docs/commands.md: {option.opts[0]} of `{words}` is not described"


def _all_commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command that can be run, with the words that run it."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            for sub_name, sub_command in command.commands.items():
                yield f"pumpline {name} {sub_name}", sub_command
        else:
            yield f"pumpline {name}", command


def _section(text: str, words: str) -> str | None:
    """Return what stands under the heading that begins with these words in code."""
    found = re.search(rf"^#+ `{re.escape(words)}[ `]", text, re.MULTILINE)
    if not found:
        return None
    rest = text[found.end() :]
    end = re.search(r"^#+ ", rest, re.MULTILINE)
    heading = text[found.start() : found.end()]
    return heading + (rest[: end.start()] if end else rest)


def _columns(root: Path) -> Iterator[str]:
    text = _read(root / "docs/import.md")
    for name in COLUMNS:
        if f"`{name}`" not in text:
            yield f"docs/import.md: the column {name} is not described"


def _links(root: Path) -> Iterator[str]:
    for file in (root / "README.md", *sorted((root / "docs").rglob("*.md"))):
        text = _CODE.sub("", _read(file))
        for target in (*_LINK.findall(text), *_SRC.findall(text)):
            path, _, anchor = target.partition("#")
            if _ELSEWHERE.match(target):
                continue
            place = (file.parent / path) if path else file
            if not place.exists():
                yield f"{file.relative_to(root)}: {target} leads nowhere"
            elif anchor and place.suffix == ".md" and anchor not in _anchors(_read(place)):
                yield f"{file.relative_to(root)}: {target} names a heading that is not there"


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _changelog(root: Path) -> Iterator[str]:
    if not (root / "CHANGELOG.md").is_file():
        yield "CHANGELOG.md: is missing"


def _names(text: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", text) is not None


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def main() -> int:
    found = problems()
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
