"""A small OpenID provider for tests: discovery, authorization with PKCE, tokens signed with RS256, keys and userinfo, over HTTP."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

CLIENT, SECRET = "newsdesk", "hush"


@cache
def key(name: str) -> RSAPrivateKey:
    """A key of this name, made once."""
    return generate_private_key(65537, 2048)


@dataclass
class OpenIdProvider:
    url: str = ""
    #: Who is logged in at the provider: what its tokens say beside what they all say.
    person: dict[str, Any] = field(default_factory=dict)
    #: Of the token: what is said otherwise than it should be; None leaves it out.
    lies: dict[str, Any] = field(default_factory=dict)
    #: What userinfo says.
    userinfo: dict[str, Any] = field(default_factory=dict)
    signs_with: str = "published"
    algorithm: str = "RS256"
    #: Path → what it answers instead.
    broken: dict[str, bytes] = field(default_factory=dict)
    #: What each authorization was asked for, by its code.
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, asked: dict[str, str]) -> str:
        """The address that a browser is sent back to."""
        code = uuid4().hex
        self.asked[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """Raises LookupError for a code that was used, ValueError where the rest is wrong."""
        asked = self.asked.pop(form["code"])
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if (form["client_id"], form["client_secret"]) != (CLIENT, SECRET):
            raise ValueError("another client")
        if (asked["code_challenge"], asked["redirect_uri"]) != (challenge.decode(), form["redirect_uri"]):
            raise ValueError("another login")
        return {"access_token": "for-userinfo", "token_type": "Bearer", "id_token": self.id_token(asked)}

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.person}
        if "max_age" in asked:
            claims["auth_time"] = now
        claims = {name: value for name, value in {**claims, **self.lies}.items() if value is not None}
        secret: Any = {"none": None, "HS256": SECRET * 8}.get(self.algorithm, key(self.signs_with))
        return jwt.encode(claims, secret, self.algorithm, headers={"kid": "1"})

    def answer(self, path: str, form: dict[str, str]) -> object:
        if path == "/.well-known/openid-configuration":
            ends = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            return {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                **{f"{name}_endpoint": f"{self.url}/{end}" for name, end in ends.items()},
            }
        if path == "/keys":
            return {
                "keys": [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key("published").public_key())), "kid": "1"}]
            }
        return self.token(form) if path == "/token" else self.userinfo


@contextmanager
def running() -> Iterator[OpenIdProvider]:
    provider = OpenIdProvider()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = {name: values[0] for name, values in parse_qs(body or parts.query).items()}
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(form))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            try:
                content = provider.broken.get(parts.path) or json.dumps(provider.answer(parts.path, form)).encode()
                self.send_response(200)
            except (LookupError, ValueError) as error:
                content = json.dumps({"error": "invalid_grant", "error_description": str(error)}).encode()
                self.send_response(400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815 - the server calls them so

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield provider
    server.shutdown()
    server.server_close()
