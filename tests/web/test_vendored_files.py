"""The checked-in front-end files are what the packages give, and their licences lie beside them."""

import base64
import hashlib
import json
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
VENDOR = ROOT / "app" / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text())
LICENSES = {
    "bootstrap": "bootstrap.txt",
    "htmx.org": "htmx.txt",
    "@fontsource-variable/inter": "inter.txt",
    "fullcalendar": "fullcalendar.txt",
    "@full-ui/headless-calendar": "headless-calendar.txt",
    "preact": "preact.txt",
    "temporal-polyfill": "temporal-polyfill.txt",
    "temporal-utils": "temporal-utils.txt",
}


def packages() -> list[dict[str, str]]:
    """Return every package that a vendored file was made from: a bundle names those it holds."""
    return [one for entry in MANIFEST.values() for one in (entry, *entry.get("with", ()))]


def test_every_vendored_file_is_in_the_manifest_and_unchanged() -> None:
    files = {path.name for path in VENDOR.iterdir() if path.is_file()} - {"manifest.json"}
    assert files == set(MANIFEST)
    for name, entry in MANIFEST.items():
        digest = base64.b64encode(hashlib.sha384((VENDOR / name).read_bytes()).digest()).decode()
        assert entry["integrity"] == f"sha384-{digest}", name


def test_versions_are_those_of_the_lock() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    for entry in packages():
        assert lock[f"node_modules/{entry['package']}"]["version"] == entry["version"]


def test_the_lock_holds_no_download_address() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    assert all("resolved" not in entry for entry in lock.values())


def test_licences_lie_beside_the_files() -> None:
    for entry in packages():
        assert (VENDOR / "LICENSES" / LICENSES[entry["package"]]).stat().st_size > 200
