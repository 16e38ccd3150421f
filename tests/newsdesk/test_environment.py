from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsdesk.core import environment as env
from newsdesk.core.mailbox_account import MailboxAccount, MailboxFolder

KEY = "k" * 40


def test_nothing_set_is_the_embedded_default(tmp_path: Path) -> None:
    environment = env.read({})
    assert environment.database_url == environment.redis_url == environment.base_url == ""
    assert environment.uses_sandbox
    assert environment.silence_grace == 10
    assert environment.home.is_absolute()
    assert environment.log_level == "WARNING"


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("DATABASE_URL", "postgresql://a:b@db:5432/news", "database_url", "postgresql://a:b@db:5432/news"),
        ("REDIS_URL", "rediss://cache:6379/0", "redis_url", "rediss://cache:6379/0"),
        (
            "REDIS_URL",
            "redis+socket:///run/v.sock?virtual_host=0",
            "redis_url",
            "redis+socket:///run/v.sock?virtual_host=0",
        ),
        ("SECRET_KEY", KEY, "secret_key", KEY),
        ("SECRET_KEY_FALLBACKS", "one, two three", "secret_key_fallbacks", ("one", "two", "three")),
        ("BASE_URL", "https://news.example/", "base_url", "https://news.example"),
        ("SENDGRID_API_KEY", "SG.x", "sendgrid_api_key", "SG.x"),
        ("SENDGRID_HOST", "http://127.0.0.1:9/", "sendgrid_host", "http://127.0.0.1:9"),
        ("SENDGRID_WEBHOOK_PUBLIC_KEYS", "AAA=,BBB=", "sendgrid_webhook_public_keys", ("AAA=", "BBB=")),
        ("NEWSDESK_TRANSPORT", "sendgrid", "transport", "sendgrid"),
        ("NEWSDESK_TRANSPORT", "file", "transport", "file"),
        ("NEWSDESK_MAILDIR", "/srv/mail", "maildir", Path("/srv/mail")),
        ("SMTP_URL", "smtp://mx.example", "smtp_server", env.SmtpServer(host="mx.example", port=587)),
        (
            "NEWSDESK_ALARM_SMTP_URL",
            "smtps://mx.example",
            "alarm_smtp_server",
            env.SmtpServer(host="mx.example", port=465, security="tls"),
        ),
        ("NEWSDESK_SILENCE_GRACE", "120", "silence_grace", 120),
        ("NEWSDESK_ACTIVITY_GRACE", "0", "activity_grace", 0),
        ("NEWSDESK_LATE_GRACE", "600", "late_grace", 600),
        ("NEWSDESK_HOME", "/srv/news", "home", Path("/srv/news")),
        ("NEWSDESK_POSTGRES_BIN", "/opt/pg/bin", "postgres_bin", "/opt/pg/bin"),
        ("NEWSDESK_HEARTBEAT_URL", "https://hc.example/ping/1/", "heartbeat_url", "https://hc.example/ping/1"),
        ("NEWSDESK_ALARM_URL", "https://chat.example/hooks/1/", "alarm_url", "https://chat.example/hooks/1/"),
        ("NEWSDESK_ALARM_SECRET", KEY, "alarm_secret", KEY),
        ("NEWSDESK_LOG_LEVEL", "debug", "log_level", "DEBUG"),
        (
            "NEWSDESK_MAILBOXES",
            "imaps://me%40a.example:p%2Cw@mail.example",
            "mailboxes",
            (MailboxAccount(username="me@a.example", host="mail.example", password="p,w"),),
        ),
        ("NEWSDESK_SMTP_SUCCESS_REPORTS", "yes", "smtp_success_reports", True),
        (
            "NEWSDESK_BOUNCE_MAILBOX",
            "imaps://b%40a.example:pw@mail.example:1993/Bounces/New",
            "bounce_mailbox",
            MailboxFolder(
                account=MailboxAccount(username="b@a.example", host="mail.example", port=1993, password="pw"),
                folder="Bounces/New",
            ),
        ),
    ],
)
def test_every_variable_is_read_and_also_from_a_file(
    name: str, value: str, field: str, expected: object, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(value + "\n", encoding="utf-8")
    assert getattr(env.read({name: value}), field) == expected
    assert getattr(env.read({f"{name}_FILE": str(secret)}), field) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://a/b"),
        ("DATABASE_URL", "news"),
        ("REDIS_URL", "http://cache"),
        ("SECRET_KEY", "short"),
        ("BASE_URL", "news.example"),
        ("SENDGRID_HOST", "api.sendgrid.com"),
        ("NEWSDESK_TRANSPORT", "pigeon"),
        ("SMTP_URL", "http://mx.example"),
        ("SMTP_URL", "smtp://"),
        ("SMTP_URL", "smtp://mx.example:port"),
        ("SMTP_URL", "smtp://mx.example/inbox"),
        ("SMTP_URL", "smtp://mx.example?starttls=maybe"),
        ("SMTP_URL", "smtp://mx.example?tls=yes"),
        ("SMTP_URL", "smtp://user:hush@mx.example?starttls=no"),
        ("NEWSDESK_ALARM_SMTP_URL", "http://mx.example"),
        ("NEWSDESK_SMTP_SUCCESS_REPORTS", "sometimes"),
        ("NEWSDESK_BOUNCE_MAILBOX", "imap://a:b@mail.example"),
        ("NEWSDESK_BOUNCE_MAILBOX", "imaps://mail.example/INBOX"),
        ("NEWSDESK_SILENCE_GRACE", "-1"),
        ("NEWSDESK_SILENCE_GRACE", "1 day"),
        ("NEWSDESK_ACTIVITY_GRACE", "-1"),
        ("NEWSDESK_HEARTBEAT_URL", "hc.example/ping/1"),
        ("NEWSDESK_ALARM_URL", "chat.example/hooks/1"),
        ("NEWSDESK_ALARM_URL", "ftp://chat.example/hooks/1"),
        ("NEWSDESK_ALARM_URL", "https:///hooks/1"),
        ("NEWSDESK_ALARM_URL", "https://chat.example:port/hooks/1"),
        ("NEWSDESK_ALARM_URL", "https://[chat.example/hooks"),
        ("NEWSDESK_ALARM_URL", "https://user:hush@chat.example/hooks/1"),
        ("NEWSDESK_ALARM_SECRET", "short"),
        ("NEWSDESK_LOG_LEVEL", "loud"),
        # Whatever stands in them, the one line names the variable.
        ("NEWSDESK_SILENCE_GRACE", "9" * 5000),
        ("NEWSDESK_RECEIPT_DAYS", "9" * 5000),
        ("BASE_URL", "https://[news.example"),
        ("REDIS_URL", "redis://[::1"),
        ("SMTP_URL", "smtp://[mx.example"),
        ("NEWSDESK_HOME", "~nobody-of-that-name/newsdesk"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(env.EnvironmentVariableError, match=f"^{name}: "):
        env.read({name: value})


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(env.EnvironmentVariableError, match=r"^SECRET_KEY_FILE: "):
        env.read({"SECRET_KEY_FILE": str(tmp_path / "absent")})
    with pytest.raises(env.EnvironmentVariableError, match=r"^SECRET_KEY: set it or SECRET_KEY_FILE"):
        env.read({"SECRET_KEY_FILE": str(tmp_path / "absent"), "SECRET_KEY": KEY})


def test_secrets_are_not_shown() -> None:
    environment = env.read(
        {"SECRET_KEY": KEY, "SENDGRID_API_KEY": "SG.secret", "DATABASE_URL": "postgresql://u:hush@h/d"}
    )
    assert KEY not in repr(environment)
    assert "SG.secret" not in repr(environment)
    assert "hush" not in repr(environment)
    with pytest.raises(env.EnvironmentVariableError) as problem:
        env.read({"DATABASE_URL": "mysql://user:hush@host/name"})
    assert "hush" not in str(problem.value)


def test_where_alarms_are_posted_is_not_shown() -> None:
    environment = env.read({"NEWSDESK_ALARM_URL": "https://chat.example/hush", "NEWSDESK_ALARM_SECRET": KEY})
    assert "hush" not in repr(environment)
    assert KEY not in repr(environment)
    for wrong in ("chat.example/hush", "https://[hush", "https://u:hush@chat.example", "https://chat.example:hush"):
        with pytest.raises(env.EnvironmentVariableError) as problem:
            env.read({"NEWSDESK_ALARM_URL": wrong})
        assert "hush" not in str(problem.value)


def test_the_silence_grace_is_the_vendors_window_with_a_real_key() -> None:
    assert env.read({"SENDGRID_API_KEY": "SG.x"}).silence_grace == 86_400


def test_two_spellings_of_a_home_are_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    spellings = {env.read({"NEWSDESK_HOME": str(tmp_path / name)}).home for name in ("real", "link", "real/../link")}
    assert len(spellings) == 1


def test_a_database_url_becomes_djangos_parameters() -> None:
    assert env.database("postgresql://us%40er:p%2Fw@db:6543/news?sslmode=require") == {
        "NAME": "news",
        "USER": "us@er",
        "PASSWORD": "p/w",
        "HOST": "db",
        "PORT": "6543",
        "OPTIONS": {"sslmode": "require"},
    }
    assert env.database("postgresql://app@/news?host=/run/pg")["HOST"] == "/run/pg"


@pytest.mark.parametrize("url", ["postgresql://db", "postgresql://db:port/news", "postgresql://[::1/news"])
def test_a_database_url_must_be_whole(url: str) -> None:
    with pytest.raises(env.EnvironmentVariableError, match=r"^DATABASE_URL: "):
        env.database(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mx.example", ("mx.example", 587, "starttls", "", "")),
        ("smtp://news%40a:p%2Fw%C3%A4@mx.example:25", ("mx.example", 25, "starttls", "news@a", "p/wä")),
        ("smtps://news:secret@mx.example", ("mx.example", 465, "tls", "news", "secret")),
        ("smtp://mx.example:25?starttls=no", ("mx.example", 25, "plain", "", "")),
        ("smtp://127.0.0.1:25", ("127.0.0.1", 25, "plain", "", "")),
        ("smtp://u:hush@localhost?starttls=yes", ("localhost", 587, "starttls", "u", "hush")),
        ("smtp://[::1]:2525", ("::1", 2525, "plain", "", "")),
    ],
)
def test_an_smtp_url_says_where_and_how(url: str, expected: tuple[object, ...]) -> None:
    server = env.read({"NEWSDESK_TRANSPORT": "smtp", "SMTP_URL": url}).smtp_server
    assert server is not None
    assert (server.host, server.port, server.security, server.username, server.password) == expected
    assert not server.password or server.password not in repr(server)


def test_smtp_needs_its_url_and_starts_no_sandbox() -> None:
    with pytest.raises(env.EnvironmentVariableError, match=r"^SMTP_URL: "):
        env.read({"NEWSDESK_TRANSPORT": "smtp"})
    with pytest.raises(env.EnvironmentVariableError) as problem:
        env.read({"SMTP_URL": "smtp://user:hush@mx.example?starttls=never"})
    assert "hush" not in str(problem.value)
    assert not env.read({"NEWSDESK_TRANSPORT": "file"}).uses_sandbox


def test_a_dkim_key_is_whole_or_refused_by_name() -> None:
    private = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    given = {"DKIM_PRIVATE_KEY": private.decode(), "DKIM_DOMAIN": "Example.com", "DKIM_SELECTOR": "nd1"}
    key = env.read(given).dkim_key
    assert key is not None
    assert (key.domain, key.selector) == ("example.com", "nd1")
    assert "PRIVATE" not in repr(key)
    for name in given:
        with pytest.raises(env.EnvironmentVariableError, match=f"^{name}: "):
            env.read({other: value for other, value in given.items() if other != name})
    elliptic = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for wrong in ("no key", elliptic.decode()):
        with pytest.raises(env.EnvironmentVariableError, match=r"^DKIM_PRIVATE_KEY: "):
            env.read({**given, "DKIM_PRIVATE_KEY": wrong})


@pytest.mark.parametrize(
    "url", ["imap://me:secret@h", "imaps://me@h", "imaps://me:secret@h/INBOX", "imaps://me:secret@h:x", "secret"]
)
def test_a_wrong_mailbox_stops_the_start_and_tells_no_password(url: str) -> None:
    with pytest.raises(env.EnvironmentVariableError, match=r"^NEWSDESK_MAILBOXES: address 2") as error:
        env.read({"NEWSDESK_MAILBOXES": f"imaps://a:b@h {url}"})
    assert "secret" not in str(error.value)
