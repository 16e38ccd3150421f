"""docker-compose.yml keeps up with the rest: what can be set reaches the containers, and what they write outlives them."""

import re
from pathlib import Path
from typing import Any

import yaml

from newsdesk.core.home import Home

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
OURS = {"web", "worker", "beat", "migrate"}
#: The image says it, its folder is a volume at the usual place, or it is about the embedded engines.
LEFT_OUT = {"NEWSDESK_HOME", "NEWSDESK_THEMES", "NEWSDESK_MAILDIR", "NEWSDESK_POSTGRES_BIN"}
#: In the image, or of `newsdesk up`.
NO_VOLUME = {"static", "logs", "up_lock", "run_file"}


def test_every_setting_is_handed_on() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    settings = set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    for service in OURS:
        assert settings - LEFT_OUT <= set(SERVICES[service]["environment"]), service


def test_every_folder_of_the_home_is_a_volume_of_the_image_s_user() -> None:
    home = Home(Path("/var/lib/newsdesk"))
    parts = {name: getattr(home, name) for name, kind in vars(Home).items() if isinstance(kind, property)}
    folders = {
        path.name
        for name, path in parts.items()
        if name not in NO_VOLUME and isinstance(path, Path) and path.parent == home.path
    }
    for service in OURS:
        targets = {volume.split(":")[1] for volume in SERVICES[service]["volumes"]}
        assert targets == {str(home.path / folder) for folder in folders}, service
    made = re.search(r"for folder in \. (.*); do", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert made is not None
    assert set(made[1].split()) == folders


def test_the_image_is_built_once() -> None:
    builders = [name for name, service in SERVICES.items() if "build" in service]
    assert builders == ["migrate"]


def test_no_container_of_ours_may_do_more_than_it_needs() -> None:
    for service in OURS | {"sandbox"}:
        asked = SERVICES[service]
        assert asked["read_only"] is True, service
        assert (asked["cap_drop"], asked["security_opt"]) == (["ALL"], ["no-new-privileges:true"]), service


def test_what_containers_print_is_not_kept_for_ever() -> None:
    assert {name for name, service in SERVICES.items() if "max-size" not in service["logging"]["options"]} == set()


def test_the_database_is_not_ready_while_its_image_still_makes_it() -> None:
    """The server that the official entry point starts for that listens on the socket alone."""
    assert "--host=127.0.0.1" in SERVICES["db"]["healthcheck"]["test"]
