"""Write a software bill of materials: every package of the lock and every front-end file in the repository.

Run as `python -m tools.sbom [FILE]`, or `make sbom`. CycloneDX 1.6, JSON. The same sources give the same file.
"""

import base64
import json
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).parent.parent
DEFAULT = ROOT / "build" / "sbom.cdx.json"
VENDORED = ("app/static/vendor", "tests/vendor")
_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_licenses = LicenseFactory()


def locked(root: Path = ROOT) -> list[tuple[str, str]]:
    """Return name and version of every package of the lock."""
    return [
        (name.lower(), version) for name, version in _PINNED.findall((root / "requirements.lock").read_text("utf-8"))
    ]


def vendored(root: Path = ROOT) -> list[tuple[str, dict[str, Any]]]:
    """Return every file that is checked in as others made it, with what its manifest says of it."""
    return [
        (f"{folder}/{name}", entry)
        for folder in VENDORED
        for name, entry in json.loads((root / folder / "manifest.json").read_text("utf-8")).items()
    ]


def bill(root: Path = ROOT) -> str:
    """Return the bill as JSON."""
    about = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    bom = Bom()
    bom.metadata.component = Component(
        name=about["name"],
        version=about["version"],
        type=ComponentType.APPLICATION,
        licenses=[_licenses.make_from_string(about["license"])],
        bom_ref=about["name"],
    )
    for name, version in locked(root):
        component = _component(PackageURL("pypi", None, name, version), _license_of(name))
        bom.components.add(component)
        bom.register_dependency(bom.metadata.component, [component])
    for path, entry in vendored(root):
        file = Component(
            name=path,
            version=entry["version"],
            type=ComponentType.FILE,
            licenses=[_licenses.make_from_string(entry["license"])],
            hashes=[HashType(alg=HashAlgorithm.SHA_384, content=_hex(entry["integrity"]))],
            bom_ref=path,
        )
        for made_of in (entry, *entry.get("with", ())):
            file.components.add(_of_npm(made_of, within=path))
        bom.components.add(file)
        bom.register_dependency(bom.metadata.component, [file])
    said = json.loads(JsonV1Dot6(bom).output_as_string())
    del said["metadata"]["timestamp"]  # it would make a new file of the same sources
    said["serialNumber"] = uuid5(NAMESPACE_URL, json.dumps(said["components"], sort_keys=True)).urn
    return json.dumps(said, indent=1, sort_keys=True) + "\n"


def _of_npm(entry: dict[str, Any], within: str) -> Component:
    space, _, name = entry["package"].rpartition("/")
    purl = PackageURL("npm", space or None, name, entry["version"])
    return _component(purl, entry["license"], ref=f"{within}#{purl}")


def _component(purl: PackageURL, license_name: str, ref: str = "") -> Component:
    return Component(
        name=f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name,
        version=purl.version,
        purl=purl,
        type=ComponentType.LIBRARY,
        licenses=[_licenses.make_from_string(license_name)] if license_name else [],
        properties=[] if license_name else [Property(name="pumpline:license", value="not installed here")],
        bom_ref=ref or str(purl),
    )


def _license_of(name: str) -> str:
    """Return what an installed package says of its licence in a line; empty where it says nothing."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return ""
    if said := about.get("License-Expression"):
        return said
    short = (about.get("License") or "").strip()
    if short and "\n" not in short and len(short) <= 60:
        return short
    kinds = [kind.rpartition(" :: ")[2] for kind in about.get_all("Classifier") or () if kind.startswith("License ::")]
    return " AND ".join(kinds) if len(kinds) == 1 else ", ".join(kinds)


def _hex(integrity: str) -> str:
    return base64.b64decode(integrity.removeprefix("sha384-")).hex()


def main(arguments: list[str]) -> int:
    file = Path(arguments[0]) if arguments else DEFAULT
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(bill(), "utf-8")
    print(f"{file}: {len(locked())} packages, {len(vendored())} front-end files")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
