"""Who may open what: every address of the desk, with every method it takes, as everybody.

An address that is not classified here fails `test_every_address_is_classified`; so does one that Wagtail adds with an upgrade.
"""

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, NamedTuple

import PIL.Image as Pillow
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver
from wagtail.images.models import Image

from composer.models import Edition, Publication, Remark, Source, Story
from composer.permissions import Right, may, may_anywhere, rights_of
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Send
from tests.factories import make_approval
from tests.web.desk.conftest import Make
from web.desk.closed import CLOSED, OPEN_BELOW

pytestmark = [
    pytest.mark.integration,
    # Wagtail leaves the file open into which it draws a smaller picture.
    pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"),
]

READ, BOTH, POST = ("GET",), ("GET", "POST"), ("POST",)


class Rule(NamedTuple):
    #: A right; "inside": any role will do; "superuser"; "everybody": also without a login.
    who: Right | str
    #: here: in the object's publication; any: in some publication; all: in all of them.
    scope: str = "here"
    methods: tuple[str, ...] = READ


def viewset(namespace: str, change: Right, see: Right, **more: Rule) -> dict[str, Rule]:
    rules = {
        "list": Rule(see, "any"),
        "list_results": Rule(see, "any"),
        "add": Rule(change, "any", BOTH),
        "edit": Rule(change, "here", BOTH),
        "delete": Rule(change, "here", BOTH),
        "usage": Rule(change),
        "history": Rule(change),
        "history_results": Rule(change),
        **more,
    }
    return {f"{namespace}:{name}": rule for name, rule in rules.items()}


def with_revisions(change: Right) -> dict[str, Rule]:
    return {
        "inspect": Rule(Right.SEE),
        # Nothing to show before something was posted; a preview changes nothing.
        "preview_on_add": Rule(change, "any", BOTH),
        "preview_on_edit": Rule(change, "here", BOTH),
        "revisions_view": Rule(change),
        "revisions_revert": Rule(change, "here", BOTH),
        "revisions_compare": Rule(change),
    }


def chooser(name: str, see: Right) -> dict[str, Rule]:
    rules = {
        # They list what the person may see, which may be nothing.
        "choose": Rule("inside"),
        "choose_results": Rule("inside"),
        "chosen_multiple": Rule("inside"),
        "chosen": Rule(see),
    }
    return {f"wagtailsnippetchoosers_composer_{name}:{view}": rule for view, rule in rules.items()}


RULES: Mapping[str, Rule] = {
    "wagtailadmin_home": Rule("inside"),
    **viewset(
        "wagtailsnippets_composer_edition",
        Right.EDIT,
        Right.SEE,
        **with_revisions(Right.EDIT),
        lock=Rule(Right.EDIT, "here", POST),
        unlock=Rule(Right.APPROVE, "here", POST),
        reopen=Rule(Right.APPROVE, "here", POST),
        send_test=Rule(Right.EDIT, "here", POST),
        schedule=Rule(Right.SEND, "here", BOTH),
        sends=Rule(Right.RESULTS),
        send_action=Rule(Right.SEND, "here", POST),
        story_state=Rule(Right.SEE),
        remarks=Rule(Right.EDIT, "here", BOTH),
        resolve_remark=Rule(Right.EDIT, "here", POST),
    ),
    **viewset(
        "wagtailsnippets_composer_story",
        Right.WRITE,
        Right.SEE,
        **with_revisions(Right.WRITE),
        copy=Rule(Right.WRITE, "here", BOTH),
        # As the chooser: what the person may not see does not come.
        as_blocks=Rule("inside"),
        take_words=Rule(Right.WRITE, "here", POST),
    ),
    **viewset(
        "wagtailsnippets_composer_source",
        Right.SOURCES,
        Right.SOURCES,
        copy=Rule(Right.SOURCES, "here", BOTH),
    ),
    **chooser("edition", Right.SEE),
    **chooser("story", Right.SEE),
    **chooser("source", Right.SOURCES),
    "publication:index": Rule(Right.PUBLICATION, "any"),
    "publication:index_results": Rule(Right.PUBLICATION, "any"),
    "publication:add": Rule(Right.PUBLICATION, "all", BOTH),
    "publication:edit": Rule(Right.PUBLICATION, "here", BOTH),
    # Its editions keep it: the page says so, and posting is refused.
    "publication:delete": Rule(Right.PUBLICATION, "all"),
    "publication:history": Rule(Right.PUBLICATION),
    "publication:history_results": Rule(Right.PUBLICATION),
    "publication:usage": Rule(Right.PUBLICATION),
    "desk_add_stories": Rule(Right.WRITE, "any", BOTH),
    "desk_clear_alarm": Rule(Right.APPROVE, "here", POST),
    "desk_team": Rule(Right.TEAM, "any"),
    "desk_team_add": Rule(Right.TEAM, "any", BOTH),
    "desk_team_person": Rule(Right.TEAM, "here", BOTH),
    "desk_team_activity": Rule(Right.TEAM, "here", BOTH),
    "desk_team_link": Rule(Right.TEAM, "here", POST),
    # One library of images for all publications; this image was added by somebody else.
    "wagtailimages:index": Rule(Right.WRITE, "any"),
    "wagtailimages:index_results": Rule(Right.WRITE, "any"),
    "wagtailimages:add": Rule(Right.WRITE, "any", BOTH),
    "wagtailimages:add_multiple": Rule(Right.WRITE, "any", BOTH),
    "wagtailimages:edit": Rule(Right.WRITE, "all", BOTH),
    "wagtailimages:delete": Rule(Right.WRITE, "all", BOTH),
    "wagtailimages:image_usage": Rule(Right.WRITE, "all"),
    "wagtailimages_chooser:choose": Rule("inside"),
    "wagtailimages_chooser:choose_results": Rule("inside"),
    "wagtailimages_chooser:chosen_multiple": Rule("inside"),
    "wagtailimages_chooser:chosen": Rule(Right.WRITE, "any"),
    "wagtailimages_chooser:create": Rule(Right.WRITE, "any", BOTH),
    "wagtailimages_chooser:select_format": Rule(Right.WRITE, "any"),
    # One's own account and open pages, and what the editor's scripts ask.
    "wagtailadmin_account": Rule("inside", methods=BOTH),
    "wagtailadmin_dismissibles": Rule("inside", methods=("PATCH",)),
    "wagtailadmin_editing_sessions:ping": Rule(Right.EDIT, "here", POST),
    "wagtailadmin_editing_sessions:release": Rule("inside", methods=POST),
    "wagtailadmin_choose_page_external_link": Rule("inside", methods=BOTH),
    "wagtailadmin_choose_page_email_link": Rule("inside", methods=BOTH),
    "wagtailadmin_choose_page_phone_link": Rule("inside", methods=BOTH),
    "wagtailadmin_choose_page_anchor_link": Rule("inside", methods=BOTH),
    "wagtailadmin_tag_autocomplete": Rule("inside"),
    "wagtail_bulk_action": Rule("inside", methods=BOTH),
    "wagtailadmin_reports:site_history": Rule("superuser"),
    "wagtailadmin_reports:site_history_results": Rule("superuser"),
    # Before anybody is logged in.
    "wagtailadmin_login": Rule("everybody", methods=BOTH),
    "wagtailadmin_logout": Rule("inside", methods=POST),
    "wagtailadmin_password_reset": Rule("everybody", methods=READ),
    "wagtailadmin_password_reset_done": Rule("everybody"),
    "wagtailadmin_password_reset_confirm": Rule("everybody", methods=BOTH),
    "wagtailadmin_password_reset_complete": Rule("everybody"),
    "wagtailadmin_javascript_catalog": Rule("everybody"),
    "wagtailadmin_sprite": Rule("everybody"),
}
#: They answer 404 to what this test has none of: an upload of several images under way, a block's preview, a class of tags.
NOTHING_THERE = frozenset(
    {
        "wagtailimages:edit_multiple",
        "wagtailimages:delete_multiple",
        "wagtailimages:create_multiple_from_uploaded_image",
        "wagtailimages:delete_upload_multiple",
        "wagtailadmin_block_preview",
        "wagtailadmin_tag_model_autocomplete",
    }
)
#: What every form gets; Wagtail fails where a title, a link's address or the number of blocks is missing.
FORM = b"title=River&content-count=0&external-link-chooser-url=https%3A%2F%2Fexample.com%2F"
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
    }


@pytest.fixture
def people(publication: Publication, make_user: Make) -> dict[str, Any]:
    other = Publication.objects.create(
        slug="other", title="Other", from_name="Other", from_email="o@example.com", postal_address="2 Main Street"
    )
    roles = ("writer", "editor", "publisher", "analyst", "administrator")
    return {
        "nobody": make_user("nobody"),
        "stranger": make_user("stranger", "administrator", publication=other),
        **{role: make_user(role, role, publication=publication) for role in roles},
        "chief": make_user("chief", "administrator"),
        "superuser": make_user("superuser", is_superuser=True),
    }


def _image() -> Image:
    picture = BytesIO()
    Pillow.new("RGB", (40, 30), "navy").save(picture, "PNG")
    made: Image = Image.objects.create(title="River", file=SimpleUploadedFile("river.png", picture.getvalue()))
    return made


def path_of(address: Address, world: dict[str, Any]) -> str:
    route = address.route.replace("^", "").rstrip("$")
    area = route.split("/")[1]
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
        "what": "deactivate" if area == "team" else "pause",
        "app_label": "composer",
        "model_name": "edition",
        "action": "delete",
        "object_id": world["edition"],
        "session_id": 1,
        "uidb64": "MQ",
        "token": "wrong",
    }
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(parts[match[1]]), route)
    return f"/{path}?id={world['edition']}" if "bulk" in path else f"/{path}"


def is_expected(rule: Rule, user: Any, publication: Publication) -> bool:
    if rule.who == "everybody":
        return True
    if rule.who == "inside":
        return bool(rights_of(user).anywhere)
    if rule.who == "superuser":
        return bool(user.is_superuser)
    right = Right(rule.who)
    if rule.scope == "any":
        return may_anywhere(user, right)
    return may(user, right, publication if rule.scope == "here" else None)


def ask(client: Client, method: str, path: str) -> Any:
    """What it did is undone. Scripts are told 403 where people are led back to the first page."""
    with transaction.atomic():
        answer = client.generic(
            method, path, FORM, "application/x-www-form-urlencoded", headers={"x-requested-with": "XMLHttpRequest"}
        )
        transaction.set_rollback(True)
    return answer


def is_refused(answer: Any) -> bool:
    location = answer.headers.get("Location", "")
    return answer.status_code in {403, 404, 405} or "/inspect/" in location


@pytest.mark.parametrize("who", PEOPLE)
def test_every_address_as_everybody(
    client: Client, world: dict[str, Any], people: dict[str, Any], publication: Publication, who: str
) -> None:
    user = people[who]
    client.raise_request_exception = False
    wrong = []
    for address in open_addresses():
        rule = RULES[address.name]
        for method in ("GET", "POST"):
            client.force_login(user)
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


def test_nothing_there_is_404_or_nothing(client: Client, people: dict[str, Any], world: dict[str, Any]) -> None:
    """The rest: without an upload under way or a name that is known, they have nothing to tell."""
    for user in (people["nobody"], people["stranger"], people["superuser"]):
        client.force_login(user)
        for address in addresses():
            if address.name in NOTHING_THERE:
                path = re.sub(r"<[^>]+>", "999999", address.route)
                assert ask(client, "POST", f"/{path}").status_code in {400, 403, 404, 405}, address.name
