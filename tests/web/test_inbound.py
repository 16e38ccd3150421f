"""SendGrid's Inbound Parse posts mails for a publication: stored once, refused aloud, never a 500."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client

from composer.models import Publication, Source, SourceEntry, Story
from tasks.sources import mails
from tests.factories import make_publication
from tests.mails import DIGEST, FORWARDED, mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def publication() -> Publication:
    return make_publication()


@pytest.fixture
def source(publication: Publication) -> Source:
    return Source.objects.create(
        publication=publication, url="mailto:stories@in.example.com", senders="ed@news.example, press.example"
    )


def url_of(source: Source) -> str:
    return "/webhooks/inbound/" + source.webhook_url.rpartition("/")[2]


def form(**fields: Any) -> dict[str, Any]:
    said = {
        "headers": "Received: by x\nMessage-ID: <1@x>\nDate: Mon, 23 Nov 2026 09:00:00 +0000\n",
        "from": "Ed Ito <ed@news.example>",
        "to": "stories@in.example.com",
        "subject": "Fwd: Quay Road closes",
        "text": FORWARDED,
        "envelope": '{"to":["stories@in.example.com"],"from":"ed@news.example"}',
        "charsets": '{"to":"UTF-8","from":"UTF-8","subject":"UTF-8","text":"utf-8"}',
        "SPF": "pass",
        "dkim": "{@news.example : pass}",
        "attachments": "0",
    }
    return {**said, **fields}


def post(source: Source, **fields: Any) -> int:
    response = Client(enforce_csrf_checks=True).post(url_of(source), form(**fields))
    assert not response.cookies
    source.refresh_from_db()
    return response.status_code


def encoded(fields: dict[str, bytes]) -> dict[str, Any]:
    """A form whose fields are in encodings of their own, as SendGrid posts it."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
        for name, value in fields.items()
    ]
    return {"data": b"".join(parts) + b"--b--\r\n", "content_type": "multipart/form-data; boundary=b"}


def test_a_mail_becomes_a_story_however_often_it_is_posted(source: Source) -> None:
    assert [post(source) for _ in range(3)] == [200, 200, 200]
    Story.objects.all().delete()
    assert post(source) == 200
    assert not Story.objects.exists()
    assert (source.error, SourceEntry.objects.count()) == ("", 1)
    assert source.polled_at is not None


def test_what_the_story_says(source: Source) -> None:
    post(source)
    story = Story.objects.get()
    assert (story.headline, story.source_name) == ("Quay Road closes", "Harbour Authority")


def test_the_whole_message_in_one_field_is_the_same_mail(source: Source) -> None:
    raw = mail("The week", DIGEST, message_id="<1@x>")
    for whole in (raw.decode(), SimpleUploadedFile("mail.eml", raw, content_type="message/rfc822")):
        response = Client().post(url_of(source), {"email": whole, "to": "x", "SPF": "pass"})
        assert response.status_code == 200
    assert post(source) == 200  # with the same Message-ID
    assert set(Story.objects.values_list("headline", flat=True)) == {"Quay Road closes", "Trams run again"}


def test_mails_come_in_any_order(source: Source) -> None:
    later, earlier = ({"headers": f"Message-ID: <{key}@x>", "subject": f"Part {key}"} for key in (2, 1))
    assert [post(source, **each) for each in (later, earlier, later, earlier)] == [200] * 4
    assert Story.objects.count() == 2


@pytest.mark.parametrize(
    ("charset", "said", "encoding"),
    [
        ("iso-8859-1", "Die Straße am Kai „zu“: 5 €", "cp1252"),
        ("windows-1251", "Набережная закрыта", "cp1251"),
        ("shift_jis", "岸壁の道路が閉鎖", "shift_jis"),
        ("utf-8", "Die Straße am Kai", "cp1252"),  # a lie
        ("no-such", "岸壁の道路が閉鎖", "utf-8"),
        ("punycode", "Die Straße am Kai", "utf-8"),
    ],
)
def test_each_field_is_in_its_own_encoding(charset: str, said: str, encoding: str, source: Source) -> None:
    fields = {name: value.encode() for name, value in form(subject="岸壁").items()}
    fields |= {"text": said.encode(encoding), "charsets": json.dumps({"subject": "utf-8", "text": charset}).encode()}
    response = Client().post(url_of(source), **encoded(fields))

    assert response.status_code == 200
    assert Story.objects.values_list("headline", "lede").get() == ("岸壁", said)


@pytest.mark.parametrize(
    "sender",
    [
        "Mallory <m@evil.example>",
        '"ed@news.example" <m@evil.example>',
        "ed@news.example, m@evil.example",
        "",
        "<",
        "x@sub.press.example",
    ],
)
def test_other_senders_are_refused_and_named(sender: str, source: Source) -> None:
    assert post(source, **{"from": sender}) == 403
    assert "is not among the senders" in source.error
    assert not Story.objects.exists()


def test_a_forged_sender_is_refused(source: Source) -> None:
    assert post(source, SPF="fail", dkim="none") == 403
    assert "only pretends to be from ed@news.example" in source.error
    assert post(source, SPF="fail") == 200  # forwarded on the way, but signed


def test_a_source_that_is_switched_off_says_so(source: Source) -> None:
    Source.objects.update(is_active=False)
    assert post(source) == 403
    assert "switched off" in source.error


def test_a_wrong_key_is_not_found(source: Source, publication: Publication) -> None:
    feed = Source.objects.create(publication=publication, url="https://example.com/feed")
    good = url_of(source)
    other = good.rpartition("/")[2].partition(".")[2]
    for key in ("x", "1.x", f"{feed.pk}.{other}", "%00", "é", f"{good[18:]}x"):
        assert Client().post(f"/webhooks/inbound/{key}", form()).status_code == 404, key
    assert Client().get(good).status_code == 405
    assert feed.webhook_url == ""
    assert not Story.objects.exists()


@pytest.mark.parametrize("url", ["", "/"])
def test_it_answers_with_and_without_a_slash(url: str, source: Source) -> None:
    assert Client().post(url_of(source) + url, form()).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"text": ""},
        {"text": "\0"},
        {"text": "x", "charsets": "[1"},
        {"text": "x", "charsets": "[" * 100_000},
        {"text": "x", "charsets": '{"text": 5, "subject": "hex"}', "headers": "\0: \n\n::"},
        {"subject": "\0\ud7ff" * 1000},
        {"from": "=?utf-8?q?=ff?= <ed@news.example>"},
        {"html": "<" * 100_000},
        {"html": "<div>" * 5000},
        {"text": "x" * 2_100_000},
        {"email": "\0" * 100},
        {"email": "From: ed@news.example\nContent-Type: multipart/mixed; boundary=\n\n--\n--\n"},
        {"email": "From: ed@news.example\nContent-Type: text/plain; charset=punycode\n\nx-y\n"},
        {"email": 'From: ed@news.example\nContent-Type: text/plain; charset="\0"\n\nx\n'},
    ],
    ids=range(14),
)
def test_rubbish_is_taken_or_refused_but_never_an_error_of_ours(fields: dict[str, str], source: Source) -> None:
    assert post(source, **fields) in {200, 400, 403}


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=b", "application/json", "application/x-www-form-urlencoded"],
)
def test_what_is_no_form_is_refused(content_type: str, source: Source) -> None:
    for body in (b"", b"\xff\0{[", b"--b\r\n\r\n"):
        assert Client().post(url_of(source), body, content_type=content_type).status_code == 400


def test_what_is_too_large_is_refused(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mails, "MOST_BYTES", 1000)
    assert post(source, text="x" * 2000) == 413
    assert "more than" in source.error


def test_what_cannot_be_stored_now_is_asked_for_again(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(mails, "take_mail", broken)
        assert post(source) == 503
    assert post(source) == 200
    assert Story.objects.count() == 1


def test_the_key_survives_a_rotation_of_the_secret_key(source: Source, settings: Any) -> None:
    url, settings.SECRET_KEY_FALLBACKS = url_of(source), [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 8
    assert url != url_of(source)
    assert Client().post(url, form()).status_code == 200
