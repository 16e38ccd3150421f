"""A test shows an edition as it stands to a few addresses, and is nobody's mail."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from composer import merge_tags
from composer.composition import compose
from composer.digest import parse
from composer.models import Edition
from newsdesk.core.paths import samples_dir
from sandbox.server import Sandbox
from subscribers import reader_links
from subscribers.models import Consent, Subscription, Suppression
from subscribers.suppression import erased_address
from subscribers.tokens import LinkKind
from tasks.approvals.approving import approve_edition
from tasks.database import high_water
from tasks.models import Event, TransactionalMail
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.transactional import submitting
from tasks.transactional.test_sends import EXAMPLE_NAME, CannotTestError, send_test
from tests.factories import (
    make_approval,
    make_list,
    make_publication,
    make_segment,
    make_subscriber,
    make_suppression,
)

pytestmark = pytest.mark.django_db

VIP = {"all": [{"field": "tags", "op": "has_any", "value": ["vip"]}]}
EVERYBODY, FOR_VIP = "The bridge is closed", "A table is free"


@pytest.fixture(autouse=True)
def addresses(settings: Any, tmp_path: Path) -> None:
    settings.BASE_URL = "https://news.example.com"
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def draft() -> Edition:
    """Two stories, of which readers in no segment see one."""
    publication = make_publication()
    make_segment(publication, VIP, "vip")
    edition = Edition(
        publication=publication, title="The week", introduction='<p>Dear {{ first_name | default: "you" }}</p>'
    )
    edition.content = [
        ("story", {"headline": EVERYBODY, "lede": "Until Monday.", "body": "<p>A long account of it.</p>"}),
        ("story", {"headline": FOR_VIP, "lede": "By the window.", "body": "<p>Another one.</p>", "audience": "vip"}),
    ]
    edition.save()
    edition.save_revision()
    return edition


def read(mail: TransactionalMail) -> str:
    """The mail's text as its reader sees it."""
    return merge_tags.fill(mail.text, mail.substitutions)


def test_a_draft_is_sent_as_it_stands(draft: Edition, sandbox: Sandbox, transport: SendGridTransport) -> None:
    (mail,) = send_test(draft, ["Editor@Example.com"], who="command line (bob)")

    assert (mail.subject, mail.kind, mail.asked_by) == ("[Test] The week", "test", "command line (bob)")
    assert (mail.publication, mail.edition) == (draft.publication, draft)
    assert EVERYBODY in read(mail)
    assert FOR_VIP not in read(mail)
    assert f"Dear {EXAMPLE_NAME.split()[0]}" in read(mail)
    assert submitting.submit_waiting(transport=transport) == 1
    (message,) = sandbox.ledger.messages(address="editor@example.com")
    posted = message.request.mail
    assert posted["subject"] == "[Test] The week"
    assert posted["personalizations"][0]["headers"]["List-Unsubscribe"].startswith("<https://news.example.com/u/")
    assert posted["headers"]["List-Id"].startswith(f"<{draft.publication.slug}.")
    assert "-nd" not in merge_tags.fill(posted["content"][1]["value"], posted["personalizations"][0]["substitutions"])


def test_an_approved_edition_is_sent_as_it_was_frozen(draft: Edition) -> None:
    approval = approve_edition(draft, None)
    Edition.objects.filter(pk=draft.pk).update(subject="Written over by hand")

    (mail,) = send_test(draft, ["editor@example.com"])

    frozen = next(variant for variant in approval.variants.all() if [] in variant.audiences)
    assert (mail.html, mail.text) == (frozen.html, frozen.text)
    assert mail.subject == f"[Test] {frozen.subject}"
    assert mail.headers["Feedback-ID"] == frozen.headers["Feedback-ID"]


@pytest.mark.parametrize("approved", [False, True])
@pytest.mark.parametrize(
    ("asked", "vip"),
    [
        ({}, False),
        ({"segments": [""]}, False),
        ({"segments": ["vip"]}, True),
        ({"seen_by": "plain@example.com"}, False),
        ({"seen_by": "VIP@example.com"}, True),
    ],
)
def test_each_variant_can_be_seen(draft: Edition, approved: bool, asked: dict[str, Any], vip: bool) -> None:
    make_subscriber(email="vip@example.com", tags=["vip"], name="Vera Important")
    make_subscriber(email="plain@example.com", name="Paul Plain")
    if approved:
        approve_edition(draft, None)

    (mail,) = send_test(draft, ["editor@example.com"], **asked)

    assert (FOR_VIP in read(mail)) is vip
    if asked.get("seen_by"):
        assert f"Dear {'Vera' if vip else 'Paul'}" in read(mail)


def test_an_address_with_a_subscriber_sees_its_own_name(draft: Edition) -> None:
    make_subscriber(email="ada@example.com", name="Ada Lovelace")
    make_subscriber(email="nameless@example.com", name="")

    written = send_test(draft, ["ADA@example.com", "nameless@example.com", "stranger@example.com"])

    assert [read(mail).partition("Dear ")[2].split()[0] for mail in written] == ["Ada", "you", "Sample"]


def test_each_address_once(draft: Edition) -> None:
    written = send_test(draft, ["b@example.com", " A@example.com", "a@example.com", "B@example.com", ""])

    assert [mail.to_email for mail in written] == ["b@example.com", "A@example.com"]


@pytest.mark.parametrize(
    ("addresses", "asked", "words"),
    [
        ([], {}, "name at least one address"),
        ([f"a{n}@example.com" for n in range(21)], {}, "21 addresses: a test goes to 20 at most"),
        (["a@example.com", "nobody"], {}, "'nobody' is not an address"),
        (["a@example.com\nBcc: b@example.com"], {}, "is not an address"),
        (["a@example.com"], {"segments": ["vips"]}, "no block of the edition is for vips; its segments are: vip"),
        (["a@example.com"], {"seen_by": "who@example.com"}, "no subscriber has the address 'who@example.com'"),
    ],
)
def test_what_cannot_be_tested_is_said_and_nothing_goes_out(
    draft: Edition, addresses: list[str], asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(CannotTestError) as refused:
        send_test(draft, addresses, **asked)

    assert words in str(refused.value)
    assert not TransactionalMail.objects.exists()


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint", "invalid", "erased"])
def test_an_address_that_must_not_be_mailed_is_refused_with_the_reason(draft: Edition, reason: str) -> None:
    address = "ada@example.com"
    Suppression.objects.create(address=erased_address(address) if reason == "erased" else address, reason=reason)

    with pytest.raises(CannotTestError, match=rf"Ada@example.com: .*\({reason}\)"):
        send_test(draft, ["bob@example.com", "Ada@example.com"])

    assert not TransactionalMail.objects.exists()


def test_whoever_unsubscribed_may_still_test(draft: Edition) -> None:
    make_suppression(make_subscriber(email="ada@example.com"), "unsubscribed", draft.publication)

    assert len(send_test(draft, ["ada@example.com"])) == 1


def test_a_variant_without_a_story_and_an_edition_that_cannot_be_rendered_say_so() -> None:
    approval = make_approval(
        variants=[{"audiences": [[]], "stories": 0, "html": "", "text": ""}, {"audiences": [["vip"]]}],
        audience_rules={"vip": VIP},
    )

    assert len(send_test(approval.edition, ["a@example.com"])) == 1
    with pytest.raises(CannotTestError, match="in none of its segments see no story"):
        send_test(approval.edition, ["a@example.com"], segments=[""])
    edition = compose(make_publication(), digest=parse((samples_dir() / "technology-week.txt").read_bytes()))
    edition.publication.theme = "gone"
    edition.publication.save()
    with pytest.raises(CannotTestError, match="gone"):
        send_test(edition, ["a@example.com"])


@pytest.mark.parametrize("page", ["u", "p"])
@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "One-Click"}, {"list": ["1"]}])
def test_a_tests_links_say_so_and_change_nothing(draft: Edition, page: str, body: dict[str, Any]) -> None:
    readers = make_list(draft.publication)
    make_subscriber(readers, email="ada@example.com")
    send_test(draft, ["ada@example.com"])
    mail = TransactionalMail.objects.get()
    before = list(Subscription.objects.values_list())
    provider = Client(enforce_csrf_checks=True)
    address = mail.unsubscribe_url if page == "u" else mail.substitutions.get("-ndPreferencesUrl-", "")
    if not address:
        token = reader_links.signer(high_water.installation()).sign(LinkKind.PREFERENCES, draft.publication_id, 0, 0)
        address = f"https://news.example.com/p/{token}"

    shown = provider.get(urlsplit(address).path)
    posted = provider.post(urlsplit(address).path, body)

    assert (shown.status_code, posted.status_code) == (200, 200)
    assert "This is a test: nobody" in shown.content.decode()
    assert "This is a test: nobody was unsubscribed" in posted.content.decode()
    assert list(Subscription.objects.values_list()) == before
    assert not any(model.objects.exists() for model in (Consent, Suppression, Event))
    assert "Set-Cookie" not in posted
