"""A captured call that is posted again adds nothing, however its signature is written."""

import time
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from django.db import connection, connections, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from tasks import celery_tasks, queue
from tasks.feedback import inbox
from tasks.models import Receipt, WebhookCall
from tasks.providers.sendgrid.webhook import SIGNATURE, TIMESTAMP
from tests.reports import SigningKey

pytestmark = pytest.mark.django_db

URL = "/webhooks/sendgrid"
KEY = SigningKey()
BODY = b'[{"email":"a@example.com","timestamp":1600112492,"event":"open"}]\r\n'
#: The order of the curve P-256 (FIPS 186-4, D.1.2.3).
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(autouse=True)
def key(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SENDGRID_WEBHOOK_PUBLIC_KEYS = (KEY.public,)
    settings.USE_SANDBOX = False
    monkeypatch.setattr(queue, "enqueue_receipt", lambda _receipt: None)


def post(headers: dict[str, str], body: bytes = BODY) -> int:
    return Client().post(URL, body, content_type="application/json", headers=headers).status_code


@pytest.mark.parametrize("timestamp", ["160011250", "16001125021", " 1600112502", "1600112502\n", "+160011250", "1e9"])
def test_a_timestamp_is_ten_digits(timestamp: str) -> None:
    assert post(KEY.headers(BODY, timestamp=timestamp)) == 403
    assert not Receipt.objects.exists()


def test_no_byte_moves_between_the_body_and_its_timestamp() -> None:
    signed = KEY.headers(b"7" + BODY)

    assert post({**signed, TIMESTAMP: signed[TIMESTAMP] + "7"}) == 403
    assert post({**signed, TIMESTAMP: signed[TIMESTAMP][:9]}, signed[TIMESTAMP][9:].encode() + b"7" + BODY) == 403


def test_a_captured_call_is_stored_once() -> None:
    headers = KEY.headers(BODY)

    assert {post(headers) for _ in range(20)} == {204}
    assert Receipt.objects.count() == 1


def test_the_same_words_signed_again_are_another_call() -> None:
    assert [post(KEY.headers(BODY)), post(KEY.headers(BODY, timestamp="1600112503"))] == [204, 204]
    assert Receipt.objects.count() == 2


def test_whoever_knows_one_signature_has_no_second_one() -> None:
    headers = KEY.headers(BODY)
    first, second = decode_dss_signature(b64decode(headers[SIGNATURE]))
    twin = {**headers, SIGNATURE: b64encode(encode_dss_signature(first, ORDER - second)).decode()}

    assert [post(headers), post(twin)] == [204, 204]
    assert Receipt.objects.count() == 1


def test_a_call_of_long_ago_is_taken_unless_there_is_a_window(settings: Settings) -> None:
    now = int(time.time())
    settings.WEBHOOK_WINDOW_HOURS = 25
    assert post(KEY.headers(BODY, timestamp=str(now - 26 * 3600))) == 403
    assert post(KEY.headers(BODY, timestamp=str(now + 26 * 3600))) == 403
    assert post(KEY.headers(BODY, timestamp=str(now - 24 * 3600))) == 204

    settings.WEBHOOK_WINDOW_HOURS = 0
    assert post(KEY.headers(BODY)) == 204


def test_what_the_window_refuses_need_not_be_remembered(settings: Settings) -> None:
    settings.RECEIPT_DAYS = 0
    for hours in (1, 24, 27, 900):
        assert post(KEY.headers(BODY, timestamp=str(int(time.time()) - hours * 3600))) == 204

    celery_tasks.expire_receipts()
    assert WebhookCall.objects.count() == 4, "without a window only its digest tells a replay"

    settings.WEBHOOK_WINDOW_HOURS = 25
    celery_tasks.expire_receipts()
    assert WebhookCall.objects.count() == 2


def test_a_receipt_that_is_not_stored_leaves_its_call_open() -> None:
    headers = KEY.headers(BODY)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tasks_receipt ADD CONSTRAINT disk_full CHECK (false) NOT VALID")
    # What a request of its own would undo by itself.
    before = transaction.savepoint()
    assert post(headers) == 503
    transaction.savepoint_rollback(before)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tasks_receipt DROP CONSTRAINT disk_full")

    assert post(headers) == 204
    assert Receipt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_take_the_same_call_at_once_store_it_once() -> None:
    headers = KEY.headers(BODY)

    def one(_number: int) -> int:
        try:
            return post(headers)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(one, range(24))) == {204}
    assert Receipt.objects.count() == WebhookCall.objects.count() == 1


def test_a_store_without_a_call_is_as_before() -> None:
    assert inbox.store(BytesIO(b"[]"), provider="postbox") != inbox.store(BytesIO(b"[]"), provider="postbox")
