from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from wagtail.models import ModelLogEntry

from composer.approval import ApprovalBlockedError, ApprovalRefusedError, approve, content_hash, reopen
from composer.models import Approval, Edition, Publication

pytestmark = pytest.mark.integration

Make = Callable[..., Any]
VIP = {"vip": {"all": [{"field": "tags", "op": "has", "value": "vip"}]}}


def codes(blocked: ApprovalBlockedError) -> set[str]:
    return {problem.code for problem in blocked.problems}


def story(headline: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    return "story", {"headline": headline, "lede": f"{headline}.", "body": "<p>Enough to read.</p>", **fields}


def test_approving_freezes_one_variant_for_everybody(make_edition: Make, make_user: Make) -> None:
    ada = make_user()
    edition = make_edition()

    approval = approve(edition, by=ada, audience_rules={})

    variant = approval.variants.get()
    assert (variant.position, variant.audiences, variant.stories) == (0, [[]], 3)
    assert variant.subject == "Water and stone"
    assert "Rivers rise in the north" in variant.html
    assert "A bridge is closed" in variant.text
    assert "https://news.example.com/weekly/1/" in variant.html
    assert (approval.approved_by, approval.timezone, approval.stands) == (ada, "Asia/Singapore", True)
    assert any(tag["field"] == "unsubscribe_url" for tag in approval.merge_tags.values())


def test_variants_follow_the_audiences_and_an_empty_one_has_no_bytes(make_edition: Make) -> None:
    edition = make_edition(blocks=[story("Only for the few", audience="vip")])

    approval = approve(edition, by=None, audience_rules={**VIP, "unused": {}})

    everybody, vip = approval.variants.all()
    assert (everybody.audiences, everybody.stories, everybody.html) == ([[]], 0, "")
    assert (vip.audiences, vip.stories) == ([["vip"]], 1)
    assert "Only for the few" in vip.html
    assert approval.audience_rules == VIP


def test_headers_are_the_same_for_every_reader(make_edition: Make, publication: Publication) -> None:
    Publication.objects.update(from_name='Ana "Ace" Ñandú', reply_to="desk@example.com")

    headers = approve(make_edition(), by=None, audience_rules={}).variants.get().headers

    assert headers["From"] == '"Ana \\"Ace\\" Ñandú" <news@example.com>'
    assert headers["Reply-To"] == "desk@example.com"
    assert headers["List-Id"] == "<weekly.news.example.com>"
    assert headers["Feedback-ID"].startswith("1:weekly:newsdesk:")


def test_errors_block_and_name_the_problem(make_edition: Make) -> None:
    edition = make_edition(blocks=[story("Lorem ipsum dolor")])

    with pytest.raises(ApprovalBlockedError) as blocked:
        approve(edition, by=None, audience_rules={})

    assert codes(blocked.value)
    assert not Approval.objects.exists()


def test_an_edition_without_stories_is_blocked(make_edition: Make) -> None:
    edition = make_edition(blocks=[("note", {"body": "<p>Nothing this week.</p>"})])

    with pytest.raises(ApprovalBlockedError) as blocked:
        approve(edition, by=None, audience_rules={})

    assert "stories.too_few" in codes(blocked.value)


def test_a_segment_without_a_rule_blocks(make_edition: Make) -> None:
    edition = make_edition(blocks=[story("For all"), story("For some", audience="vip")])

    with pytest.raises(ApprovalBlockedError, match="no segment “vip”") as blocked:
        approve(edition, by=None, audience_rules={"asia": {}})

    assert codes(blocked.value) == {"audience.unknown"}


def test_seven_segments_are_too_many(make_edition: Make) -> None:
    edition = make_edition(blocks=[story(f"For group {n}", audience=f"group-{n}") for n in range(7)])

    with pytest.raises(ApprovalBlockedError) as blocked:
        approve(edition, by=None, audience_rules={f"group-{n}": {} for n in range(7)})

    assert codes(blocked.value) == {"audience.too_many"}


def test_whoever_edited_last_cannot_be_the_second_approver(make_edition: Make, make_user: Make) -> None:
    Publication.objects.update(second_approver=True)
    ada, grace = make_user("ada"), make_user("grace")
    edition = make_edition()
    edition.title = "Edited by Ada"
    edition.save_revision(user=ada)

    with pytest.raises(ApprovalRefusedError, match=r"edited .* last"):
        approve(edition, by=ada, audience_rules={})
    with pytest.raises(ApprovalRefusedError, match="second person"):
        approve(edition, by=None, audience_rules={})
    assert approve(edition, by=grace, audience_rules={}).approved_by == grace


def test_approving_twice_is_refused(make_edition: Make) -> None:
    edition = make_edition()
    approve(edition, by=None, audience_rules={})

    with pytest.raises(ApprovalRefusedError, match="approved already"):
        approve(edition, by=None, audience_rules={})


@pytest.mark.django_db(transaction=True)
def test_of_two_approvals_at_once_one_stands_and_the_other_is_refused(make_edition: Make) -> None:
    edition = make_edition()
    start = Barrier(2)

    def try_it(_: int) -> str:
        start.wait()
        try:
            return approve(Edition.objects.get(pk=edition.pk), by=None, audience_rules={}).content_hash
        except ApprovalRefusedError as refused:
            return str(refused)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = set(pool.map(try_it, range(2)))

    approval = Approval.objects.get()
    answers.remove(approval.content_hash)
    assert "approved already" in answers.pop()
    assert approval.variants.count() == 1


def test_the_database_refuses_to_change_frozen_bytes(make_edition: Make) -> None:
    variant = approve(make_edition(), by=None, audience_rules={}).variants.get()

    variant.html = "<p>Something else</p>"
    with pytest.raises(DatabaseError, match="frozen"), transaction.atomic():
        variant.save()


def test_reopening_voids_and_a_new_approval_freezes_anew(make_edition: Make, make_user: Make) -> None:
    edition = make_edition()
    first = approve(edition, by=None, audience_rules={})
    ada = make_user()

    reopened = reopen(edition, by=ada)
    edition.title = "Stone and water"
    edition.save_revision(user=ada)
    second = approve(edition, by=None, audience_rules={})

    assert (reopened.pk, reopened.void_reason) == (first.pk, "reopened")
    assert first.variants.get().subject == "Water and stone"
    assert second.variants.get().subject == "Stone and water"
    with pytest.raises(ApprovalRefusedError, match="not approved"):
        reopen(make_edition(), by=ada)


def test_acts_are_logged(make_edition: Make, make_user: Make) -> None:
    ada = make_user()
    edition = make_edition()
    approval = approve(edition, by=ada, audience_rules={})
    reopen(edition, by=ada)

    entries = ModelLogEntry.objects.for_instance(edition).filter(action__startswith="newsdesk.").order_by("pk")
    assert list(entries.values_list("action", "user")) == [("newsdesk.approve", ada.pk), ("newsdesk.reopen", ada.pk)]
    assert entries[0].data["content_hash"] == approval.content_hash


def change_text(edition: Edition) -> None:
    edition.introduction = "<p>One more word.</p>"


def change_subject(edition: Edition) -> None:
    edition.subject = "Another subject"


def change_preheader(edition: Edition) -> None:
    edition.preheader = "Another preheader"


def change_sender(edition: Edition) -> None:
    edition.publication.from_name = "Somebody else"
    edition.publication.save()


def change_timezone(edition: Edition) -> None:
    edition.publication.timezone = "Asia/Kuala_Lumpur"
    edition.publication.save()


def change_nothing(edition: Edition) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (change_nothing, False),
        (change_text, True),
        (change_subject, True),
        (change_preheader, True),
        (change_sender, True),
        (change_timezone, True),
    ],
)
def test_the_hash_covers_what_readers_get(make_edition: Make, change: Callable[[Edition], None], differs: bool) -> None:
    edition = make_edition()
    before = approve(edition, by=None, audience_rules={})
    reopen(edition, by=None)

    change(edition)
    edition.save_revision()
    after = approve(edition, by=None, audience_rules={})

    assert (before.content_hash != after.content_hash) is differs


def test_the_hash_covers_the_rules(make_edition: Make) -> None:
    edition = make_edition(blocks=[story("For all"), story("For some", audience="vip")])
    before = approve(edition, by=None, audience_rules=VIP)
    reopen(edition, by=None)

    after = approve(edition, by=None, audience_rules={"vip": {"any": []}})

    assert before.content_hash != after.content_hash


def test_images_are_kept_under_the_name_of_their_bytes(make_edition: Make, make_image: Make, media: Path) -> None:
    def approved(image: Any) -> Any:
        edition = make_edition(blocks=[story("A river", image=image, alt="A river in the morning")])
        return approve(edition, by=None, audience_rules={})

    image = make_image()
    before = approved(image)
    [kept] = (media / "mail").iterdir()
    html = before.variants.get().html
    assert f"https://news.example.com/media/mail/{kept.name}" in html
    assert kept.suffix == ".jpg"

    approved(make_image("lake.jpg", colour="teal"))
    assert len(list((media / "mail").iterdir())) == 2

    image.delete()
    assert kept.exists()


def test_an_image_whose_file_is_gone_blocks(make_edition: Make, make_image: Make) -> None:
    image = make_image()
    edition = make_edition(blocks=[story("A river", image=image, alt="A river in the morning")])
    Path(image.file.path).unlink()

    with pytest.raises(ApprovalBlockedError, match="upload it again"):
        approve(edition, by=None, audience_rules={})


def test_a_story_that_ran_before_is_a_warning(make_edition: Make, make_story: Make) -> None:
    from composer.inspection import inspect

    rivers = make_story("Rivers rise in the north")
    make_edition(blocks=[("story", {"story": rivers})])
    again = make_edition(blocks=[("story", {"story": rivers})])

    found = [problem for problem in inspect(again).problems if problem.code == "story.ran_before"]

    assert [(problem.level, problem.where) for problem in found] == [("warning", "story 1")]
    assert "No. 1" in found[0].message


def test_what_shapes_the_request_is_frozen_and_hashed(make_edition: Make) -> None:
    edition = make_edition()
    approval = approve(edition, by=None, audience_rules={})
    hashed = approval.content_hash

    assert approval.request == {"tracking": False, "track_unknown": False, "category": edition.publication.slug}
    approval.request["tracking"] = True
    assert content_hash(approval, list(approval.variants.all())) != hashed
