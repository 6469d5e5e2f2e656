"""The colours of docs/design.md are those of the stylesheet, and every pair reads as well as it says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CSS = (ROOT / "app" / "static" / "pumpline.css").read_text()
SHEET = (ROOT / "docs" / "design.md").read_text()
ROW = re.compile(r"^\| `--([\w-]+)` on `--([\w-]+)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", re.M)
THEMES = {"light": ':root, [data-bs-theme="light"] {', "dark": '[data-bs-theme="dark"] {'}


def tokens(theme: str) -> dict[str, str]:
    block = CSS[CSS.index(THEMES[theme]) :].split("}")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2.2, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("row", ROW.findall(SHEET), ids=lambda row: f"{row[0]} on {row[1]}")
def test_every_pair_reads_as_well_as_the_sheet_says(row: tuple[str, ...]) -> None:
    ink, ground, needed, *said = row
    for theme, written in zip(THEMES, said, strict=True):
        measured = contrast(tokens(theme)[ink], tokens(theme)[ground])
        assert measured >= float(needed), (theme, measured)
        assert abs(measured - float(written)) < 0.06, (theme, measured)


def test_the_sheet_has_its_pairs() -> None:
    assert len(ROW.findall(SHEET)) >= 14


@pytest.mark.parametrize("folder", ["console", "."])
def test_no_page_is_styled_by_hand(folder: str) -> None:
    for page in (ROOT / "app" / "web" / "templates" / folder).glob("*.html"):
        assert not re.search(r"\sstyle\s*=|<style", page.read_text()), page.name
