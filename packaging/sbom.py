"""Hatchling build hook: the wheel carries a bill of materials, CycloneDX 1.6 (ECMA-424) below .dist-info/sboms (PEP 770).

It lists what requirements.txt pins, which is what the image and `make setup` install, with the hashes that pip asks for.
"""

import json
import re
import tempfile
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "newsdesk.cdx.json"
_PIN = re.compile(r"([a-z0-9._-]+)==([^ ;]+)(?: ; (.*?))? \\", re.ASCII)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"# +(?:via +)?(-r requirements\.in|[a-z0-9._-]+)\Z", re.ASCII)


class SbomHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before each build; an editable one has no use for it."""
        if version == "editable":
            return
        pins = (Path(self.root) / "requirements.txt").read_text(encoding="utf-8")
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / NAME
        file.write_text(json.dumps(bill_of(pins, self.metadata.version), indent=1) + "\n", encoding="utf-8")
        build_data["sbom_files"].append(str(file))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        del version, build_data, artifact_path
        if hasattr(self, "_folder"):
            self._folder.cleanup()


def bill_of(pins: str, version: str) -> dict[str, Any]:
    """The document for what a requirements file of `uv pip compile` pins. The same pins give the same bytes."""
    components: list[dict[str, Any]] = []
    needed_by: dict[str, set[str]] = {}
    for line in pins.splitlines():
        if pin := _PIN.match(line):
            components.append(_component(*pin.groups()))
        elif digest := _HASH.search(line):
            components[-1]["externalReferences"][0]["hashes"].append({"alg": "SHA-256", "content": digest[1]})
        elif via := _VIA.search(line.strip()):
            needed_by.setdefault(via[1], set()).add(components[-1]["bom-ref"])
    own = f"pkg:pypi/newsdesk@{version}"
    depends = [{"ref": own, "dependsOn": sorted(needed_by.get("-r requirements.in", ()))}]
    depends += [{"ref": one["bom-ref"], "dependsOn": sorted(needed_by.get(one["name"], ()))} for one in components]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, own + pins)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "newsdesk",
                "version": version,
                "purl": own,
                "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": components,
        "dependencies": depends,
    }


def _component(name: str, version: str, marker: str | None) -> dict[str, Any]:
    address = f"pkg:pypi/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": address,
        "name": name,
        "version": version,
        # Only on some systems or versions of Python.
        "scope": "optional" if marker else "required",
        "purl": address,
        "externalReferences": [{"type": "distribution", "url": address, "hashes": []}],
    }
