"""Who may open what: every address of the desk, with every method it takes, as everybody.

An address that is not classified here fails `test_every_address_is_classified`; so does one that Wagtail adds with an upgrade.
"""

import re
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any, NamedTuple

import PIL.Image as Pillow
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.template.backends.django import Template
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils.safestring import SafeString
from wagtail.images.models import Image

from composer.models import Edition, Holiday, Publication, Remark, Source, Story
from composer.permissions import Right, may, may_anywhere, rights_of
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Batch, Send
from tests.factories import make_approval
from tests.web.desk.address_rules import FORM, NOTHING_THERE, RULES, Rule
from tests.web.desk.conftest import Make, logged_in_just_now
from web.desk.closed import CLOSED, OPEN_BELOW

pytestmark = [
    pytest.mark.integration,
    # Wagtail leaves the file open into which it draws a smaller picture.
    pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"),
]

LOGIN = "/desk/login/"
#: Who is shown whole pages. What is refused is decided before a page is rendered, which takes most of the time.
RENDERED = frozenset({"writer", "analyst", "superuser"})
PEOPLE = ("nobody", "stranger", "writer", "editor", "publisher", "analyst", "administrator", "chief", "superuser")


class Address(NamedTuple):
    route: str
    name: str

    @property
    def is_closed(self) -> bool:
        path = self.route.removeprefix("desk/").replace("^", "").replace("image_id", "image")
        below = any(path.startswith(f"{address}{open_}") for address, open_ in OPEN_BELOW.items())
        return not below and path.startswith(CLOSED)


def addresses() -> list[Address]:
    def walk(resolver: Any, route: str = "", space: str = "") -> Iterator[Address]:
        for pattern in resolver.url_patterns:
            here = route + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, here, space + (f"{pattern.namespace}:" if pattern.namespace else ""))
            elif here.startswith("desk/"):
                yield Address(here, space + (pattern.name or ""))

    return list(walk(get_resolver()))


def open_addresses() -> list[Address]:
    return [one for one in addresses() if one.name in RULES]


def test_every_address_is_classified() -> None:
    unknown = [
        one
        for one in addresses()
        if not one.is_closed and one.name not in RULES and one.name not in NOTHING_THERE and one.route != "desk/^.*/$"
    ]
    # The two that stand before Wagtail's own and have no name.
    assert [one.route for one in unknown] == ["desk/reports/site-history/", "desk/reports/site-history/results/"]


@pytest.fixture
def world(publication: Publication, edition: Edition, stories: list[Story], make_user: Make) -> dict[str, Any]:
    """What the addresses' parts stand for."""
    for story in stories:
        story.save_revision()
    approval = make_approval(edition)
    send = Send.objects.create(approval=approval, edition=edition, scheduled_at=approval.approved_at)
    batch = Batch.objects.create(send=send, variant=approval.variants.get(), size=1, status=Batch.Status.UNKNOWN)
    edition.approvals.void("edited")
    raise_alarm(Alarm.Code.SLOT_MISSED, "Nobody approved it.", publication_id=publication.pk)
    revision, story_revision = edition.latest_revision, stories[0].latest_revision
    assert revision is not None
    assert story_revision is not None
    return {
        "editions": edition.pk,
        "edition": edition.pk,
        "stories": stories[0].pk,
        "story": stories[0].pk,
        "sources": Source.objects.create(publication=publication, url="https://example.com/feed").pk,
        "source": Source.objects.get().pk,
        "publications": publication.pk,
        "alarms": Alarm.objects.get().pk,
        "team": make_user("new", "writer", publication=publication).pk,
        "image_id": _image().pk,
        "editions revision": revision.pk,
        "stories revision": story_revision.pk,
        "send": send.pk,
        "remark": Remark.objects.create(edition=edition, block_id=edition.content[0].id, text="Why?").pk,
        "batch": batch.pk,
        "variant": batch.variant_id,
        "holidays": Holiday.objects.create(publication=publication, day=date(2026, 12, 25)).pk,
    }


@pytest.fixture
def people(publication: Publication, make_user: Make) -> dict[str, Any]:
    other = Publication.objects.create(
        slug="other", title="Other", from_name="Other", from_email="o@example.com", postal_address="2 Main Street"
    )
    password = {"password": "correct horse battery"}
    roles = ("writer", "editor", "publisher", "analyst", "administrator")
    return {
        "nobody": make_user("nobody"),
        "stranger": make_user("stranger", "administrator", publication=other, **password),
        **{role: make_user(role, role, publication=publication, **password) for role in roles},
        "chief": make_user("chief", "administrator", **password),
        "superuser": make_user("superuser", is_superuser=True, **password),
    }


def _image() -> Image:
    picture = BytesIO()
    Pillow.new("RGB", (40, 30), "navy").save(picture, "PNG")
    made: Image = Image.objects.create(title="River", file=SimpleUploadedFile("river.png", picture.getvalue()))
    return made


def path_of(address: Address, world: dict[str, Any]) -> str:
    route = address.route.replace("^", "").rstrip("$").removesuffix("\\Z")
    area = "holidays" if "/holidays/" in route else route.split("/")[1]
    chosen = re.match(r"desk/snippets/choose/composer/(\w+)/", route)
    if address.name.endswith("revisions_compare"):
        return f"/desk/{area}/history/{world[area]}/revisions/compare/earliest...latest/"
    parts = {
        "pk": world["story"]
        if address.name.endswith("story_state")
        else world[chosen[1] if chosen else area]
        if (chosen or area in world)
        else world["image_id"],
        "image_id": world["image_id"],
        "revision_id": world.get(f"{area} revision"),
        "send": world["send"],
        "remark": world["remark"],
        "what": "deactivate" if area == "team" else "cancel",
        "app_label": "composer",
        "model_name": "edition",
        "action": "delete",
        "object_id": world["edition"],
        "session_id": 1,
        "batch": world["batch"],
        "variant": world["variant"],
        "decision": "leave",
        "uidb36": "1",
        "key": "wrong",
        "uidb64": "MQ",
        "token": "wrong",
    }
    route = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route)
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(parts[match[1]]), route)
    return f"/{path}?id={world['edition']}" if "bulk" in path else f"/{path}"


def is_expected(rule: Rule, user: Any, publication: Publication) -> bool:
    # Whoever may not use the desk is logged out by each of its pages.
    if rule.who in {"everybody", "inside"}:
        return bool(rights_of(user).anywhere)
    if rule.who == "superuser":
        return bool(user.is_superuser)
    right = Right(rule.who)
    if rule.scope == "any":
        return may_anywhere(user, right)
    return may(user, right, publication if rule.scope == "here" else None)


def ask(client: Client, method: str, path: str) -> Any:
    """What it did is undone. Scripts are told 403 where people are led back to the first page."""
    cookies = client.cookies.copy()
    # No block of Django's: some services commit by themselves and refuse to do that inside of one.
    before = transaction.savepoint()
    answer = client.generic(
        method, path, FORM, "application/x-www-form-urlencoded", headers={"x-requested-with": "XMLHttpRequest"}
    )
    transaction.savepoint_rollback(before)
    client.cookies = cookies
    return answer


def is_refused(answer: Any) -> bool:
    location = answer.headers.get("Location", "")
    led_away = "/inspect/" in location or location.startswith(LOGIN)
    return led_away or answer.status_code in {403, 404, 405}


@pytest.mark.parametrize("who", PEOPLE)
def test_every_address_as_everybody(
    client: Client,
    world: dict[str, Any],
    people: dict[str, Any],
    publication: Publication,
    monkeypatch: pytest.MonkeyPatch,
    who: str,
) -> None:
    user = people[who]
    client.raise_request_exception = False
    client.force_login(user)
    logged_in_just_now(client)
    if who not in RENDERED:
        monkeypatch.setattr(Template, "render", lambda *_arguments, **_context: SafeString(""))
    wrong = []
    for address in open_addresses():
        rule = RULES[address.name]
        for method in ("GET", "POST"):
            answer = ask(client, method, path_of(address, world))
            opened = not is_refused(answer)
            expected = method in rule.methods and is_expected(rule, user, publication)
            if answer.status_code >= 500 or (method in rule.methods and opened is not expected):
                wrong.append(f"{method} {path_of(address, world)} ({address.name}): {answer.status_code}")
            elif opened and not is_expected(rule, user, publication):
                wrong.append(f"{method} {path_of(address, world)}: {answer.status_code} for what nobody should open")
    assert not wrong, "\n".join(wrong)


def test_every_address_without_a_login(client: Client, world: dict[str, Any]) -> None:
    opened = [
        address.name
        for address in open_addresses()
        for method in ("GET", "POST")
        if RULES[address.name].who != "everybody" and not is_refused(ask(client, method, path_of(address, world)))
    ]
    assert opened == []


def test_what_is_not_used_is_closed_to_everybody(desk: Client, world: dict[str, Any]) -> None:
    answers = {
        path: (desk.get(path).status_code, desk.post(path).status_code)
        for address in CLOSED
        for path in (f"/desk/{address}".replace("<int:image>", str(world["image_id"])),)
    }
    assert set(answers.values()) == {(404, 404)}
    closed = [one for one in addresses() if one.is_closed and "<path:rest>" not in one.route]
    assert len(closed) > 100
    below = [re.sub(r"<[^>]+>", "1", one.route.replace("^", "")) for one in closed if "(?P" not in one.route]
    assert {desk.get(f"/{path}").status_code for path in below} == {404}


def test_nothing_there_is_404_or_nothing(people: dict[str, Any], world: dict[str, Any]) -> None:
    """The rest: without an upload under way or a name that is known, they have nothing to tell."""
    for user in (people["nobody"], people["stranger"], people["superuser"]):
        client = Client()
        client.force_login(user)
        for address in addresses():
            if address.name in NOTHING_THERE:
                path = re.sub(r"<[^>]+>", "999999", address.route)
                answer = ask(client, "POST", f"/{path}")
                assert is_refused(answer) or answer.status_code in {302, 400}, address.name
