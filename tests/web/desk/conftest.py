"""A desk with one publication, one edition of three stories, and people who may do different things."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth import get_user, get_user_model
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client
from wagtail.test.utils.form_data import nested_form_data, rich_text, streamfield

from composer import story_copying
from composer.models import Edition, Membership, Publication, Story

Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path, valkey_url: str) -> Path:
    """And the shared cache: without it each test would first wait for one that does not answer."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.BASE_URL = "https://news.example.com"
    cache.clear()
    return tmp_path / "media"


@pytest.fixture
def publication(db: None) -> Publication:
    return Publication.objects.create(
        slug="weekly",
        title="The Weekly",
        from_name="The Weekly",
        from_email="news@example.com",
        postal_address="1 Main Street, Singapore 018956",
        timezone="Asia/Singapore",
    )


@pytest.fixture
def stories(publication: Publication) -> list[Story]:
    headlines = ("Rivers rise in the north", "A bridge is closed", "The library reopens")
    return [
        Story.objects.create(
            publication=publication,
            headline=headline,
            lede=f"{headline}, and here is why it matters.",
            body=f"<p>The long account of how {headline.lower()} begins with a map.</p>",
        )
        for headline in headlines
    ]


@pytest.fixture
def edition(publication: Publication, stories: list[Story]) -> Edition:
    made = Edition(publication=publication, title="Water and stone")
    made.content = [("story", story_copying.copy_of(story)) for story in stories]
    made.save()
    made.save_revision()
    return made


@pytest.fixture
def make_user(db: None) -> Make:
    def make(username: str, role: str = "", *, publication: Publication | None = None, **fields: Any) -> Any:
        """Without a publication the role holds for all."""
        user = get_user_model().objects.create_user(username, f"{username}@example.com", **fields)
        if role:
            Membership.objects.create(user=user, publication=publication, role=role)
        return user

    return make


def logged_in_just_now(client: Client) -> None:
    """Have the client's login count as a recent one: nothing asks for the password again."""
    request = HttpRequest()
    request.session = client.session
    record_authentication(request, get_user(request), "password")
    request.session.save()


@pytest.fixture
def ada(make_user: Make) -> Any:
    return make_user("ada", is_superuser=True, first_name="Ada", last_name="Lovelace")


@pytest.fixture
def desk(client: Client, ada: Any) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def form() -> Make:
    """What the edition's form posts."""

    def data(edition: Edition | None = None, *, blocks: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
        shown = edition or Edition(title="A new one")
        revision = edition.latest_revision if edition else None
        loaded = (
            {
                "loaded_revision_id": str(revision.pk),
                "loaded_revision_created_at": revision.created_at.isoformat(),
            }
            if revision
            else {}
        )
        posted: dict[str, Any] = nested_form_data(
            {
                "title": shown.title,
                "publication": str(shown.publication_id or ""),
                "slot": "",
                "subject": shown.subject,
                "preheader": shown.preheader,
                "introduction": rich_text(shown.introduction),
                "content": streamfield_of(shown, blocks),
                "closing_heading": shown.closing_heading,
                "closing": rich_text(shown.closing),
                "call_to_action_label": shown.call_to_action_label,
                "call_to_action_url": shown.call_to_action_url,
                **loaded,
                **fields,
            }
        )
        return posted

    return data


def streamfield_of(edition: Edition, blocks: list[Any] | None) -> dict[str, Any]:
    children = (
        blocks if blocks is not None else [(child.block_type, child.value, child.id) for child in edition.content]
    )
    posted = streamfield([(kind, _value(kind, value)) for kind, value, _ in children])
    for index, (_, _, key) in enumerate(children):
        posted[str(index)]["id"] = key
    return dict(posted)


def _value(kind: str, value: Any) -> dict[str, Any]:
    block = Edition.content.field.stream_block.child_blocks[kind]
    posted = {}
    for name, child in block.child_blocks.items():
        held = value.get(name, child.get_default())
        state = child.get_form_state(held)
        if hasattr(held, "pk"):
            state = str(held.pk)
        posted[name] = state if isinstance(state, str) else ("on" if state is True else _plain(state))
    return posted


def _plain(state: Any) -> str:
    return "" if state in (None, False) else json.dumps(state)
