"""What an address is: email-validator's word, and the short way that says the same."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from subscribers import addresses
from subscribers.addresses import NotAnAddressError, TooLongError, UnicodeLocalPartError, is_domain, normalised

_ATOMS = st.text("abXY01!#$%&'*+/=?^_`{|}~-.@\" ", max_size=70)
_LABELS = st.sampled_from(
    ["a", "B", "x-y", "xn--mnchen-3ya", "ab--c", "-a", "a-", "a_b", "1", "é", "test", "local", "a" * 63, "a" * 64]
)
_TOPS = st.sampled_from(
    ["com", "COM", "c0m", "co1", "1", "xn--p1ai", "рф", "test", "invalid", "local", "localhost", "onion", "arpa", "x"]
)
_DOMAINS = st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(_LABELS, max_size=5), _TOPS)


def by_the_library(text: str) -> str | None:
    """What email-validator makes of it, in lower case; None where it is none, or none that we can mail."""
    try:
        found = validate_email(text, check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError:
        return None
    return found.ascii_email.lower() if found.ascii_email and "." in found.ascii_domain else None


@given(st.builds("{}@{}".format, _ATOMS | st.text(max_size=8), _DOMAINS | st.text("a-.é@", max_size=9)))
def test_the_library_decides_whatever_way_is_taken(text: str) -> None:
    try:
        found: str | None = normalised(text).lower()
    except NotAnAddressError:
        found = None

    assert found == by_the_library(text)


def test_a_plain_address_never_waits_for_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a million rows the library alone would take half as long as everything else."""
    monkeypatch.setattr(addresses, "_looked_at", pytest.fail)

    assert normalised("Ada.L+news@Mail.Example.COM") == "Ada.L+news@mail.example.com"


@pytest.mark.parametrize(
    ("text", "spelt"),
    [("ada@münchen.example", "ada@xn--mnchen-3ya.example"), ("Info@ß.example", "Info@xn--zca.example"),
     ("ada@例え。jp", "ada@xn--r8jz45g.jp"), ("ada@trial.test", "ada@trial.test")],
)  # fmt: skip
def test_a_domain_is_spelt_as_the_domain_name_system_does(text: str, spelt: str) -> None:
    assert normalised(text) == spelt


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [("nobody", NotAnAddressError, ""), ("a@b@c.example", NotAnAddressError, "invalid characters"), ("a@printer.local", NotAnAddressError, "special-use"),
     ("a@test", NotAnAddressError, "should have a period"), ('"a b"@c.example', NotAnAddressError, "Quoting"),
     ("dörte@example.com", UnicodeLocalPartError, ""), (f"{'a' * 65}@example.com", TooLongError, "")],
)  # fmt: skip
def test_why_it_is_none(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as refusal:
        normalised(text)

    assert words in str(refusal.value)


def test_a_domain_that_an_address_could_end_in() -> None:
    assert [
        text for text in ("example.com", "EXAMPLE.com", "com", "a b.com", "x.local", "1.2.3.4", "") if is_domain(text)
    ] == ["example.com"]
