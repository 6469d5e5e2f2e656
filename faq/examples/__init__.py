"""The example texts the model is trained on: `examples/<language>/<kind>/<label>.txt`, one text a line.

Only training reads them; the line itself never does. A line that starts with "> " answers our reminder of a visit.
`mri.2.txt` is more of `mri.txt`, written by somebody else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
KINDS = {"topics": "topic", "urgent": "urgent", "intents": "intent", "none": "none"}
_REPLY = "> "


@dataclass(frozen=True)
class Example:
    """`label` is kind and name: "topic:mri", "urgent:alarm", "intent:confirm", "none:calm"."""

    label: str
    language: str
    text: str
    after_reminder: bool = False


def read_examples(folder: Path = HERE) -> Iterator[Example]:
    """Yield every example, in the order of the files' names. Raises ValueError for a folder that is no kind."""
    for path in sorted(folder.glob("*/*/*.txt")):
        if path.parent.name not in KINDS:
            raise ValueError(f"{path.parent}: a folder of examples is called one of {', '.join(KINDS)}")
        label = f"{KINDS[path.parent.name]}:{path.name.split('.')[0]}"
        for line in path.read_text("utf-8").splitlines():
            if text := line.removeprefix(_REPLY).strip():
                yield Example(label, path.parent.parent.name, text, line.startswith(_REPLY))
