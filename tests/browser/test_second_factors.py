"""An authenticator app and a passkey are set up at the desk, and asked for at the next login."""

import hashlib
import hmac
import struct
import time
from base64 import b32decode
from typing import Any

import pytest
from allauth.mfa.models import Authenticator

from tests.browser.logins import forget_login
from tests.browser.pictures import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def code(secret: str) -> str:
    """What an app shows now (RFC 6238, 30 seconds, six digits)."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.new(b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def log_out(page: Any) -> None:
    forget_login(page)


def log_in(page: Any, url: str) -> None:
    page.goto(f"{url}/desk/login/")
    page.fill("#id_username", "ada")
    page.fill("#id_password", "secret")
    page.click("form.login-form button[type=submit]")


def test_an_authenticator_app(desk: Any, live_server: Any) -> None:
    desk.goto(f"{live_server.url}/desk/account/")
    picture(desk, "account")
    desk.goto(f"{live_server.url}/desk/security/")
    picture(desk, "security")
    desk.click("text=Set up an app")
    secret = desk.input_value("#authenticator_secret")
    picture(desk, "totp")
    desk.fill("#id_code", code(secret))
    desk.click("form.desk-account-form button[type=submit]")
    desk.get_by_role("heading", name="Recovery Codes").wait_for()
    picture(desk, "recovery-codes")

    log_out(desk)
    log_in(desk, live_server.url)
    desk.wait_for_url("**/desk/security/authenticate/**")
    desk.goto(f"{live_server.url}/desk/")
    assert "/desk/security/authenticate/" in desk.url, "the password alone opens nothing"
    picture(desk, "authenticate")
    # The code that set it up is spent; the app's next one is not waited for.
    desk.fill("#id_code", recovery_code())
    desk.click("form.desk-account-form button[type=submit]")
    desk.wait_for_url("**/desk/")


def recovery_code() -> str:
    codes = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()
    return str(codes[0])


def test_a_passkey_takes_the_place_of_the_password(desk: Any, live_server: Any) -> None:
    url = live_server.url
    chrome = desk.context.new_cdp_session(desk)
    chrome.send("WebAuthn.enable")
    chrome.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )
    desk.goto(f"{url}/desk/security/webauthn/add/")
    desk.fill("#id_name", "Laptop")
    desk.check("#id_passwordless")
    picture(desk, "passkey")
    desk.click("#mfa_webauthn_add")
    desk.get_by_role("heading", name="Recovery Codes").wait_for()
    desk.goto(f"{url}/desk/security/webauthn/")
    desk.get_by_text("Laptop").wait_for()

    log_out(desk)
    desk.goto(f"{url}/desk/login/")
    picture(desk, "login")
    desk.click("#passkey_login")
    desk.wait_for_url("**/desk/")
    desk.goto(f"{url}/desk/security/sessions/")
    picture(desk, "sessions")
