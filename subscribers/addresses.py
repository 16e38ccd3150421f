"""What an e-mail address is, decided once for imports of readers and of suppressions.

`email-validator` decides (RFC 5321, 5322, 5891; names that are reserved), without asking the network. Nearly all addresses are
plain ASCII, and of those two patterns say the same in a twentieth of the time; what they do not match is looked at in full.
"""

import re

import idna
from email_validator import EmailNotValidError, validate_email

#: RFC 5321, section 4.5.3.1, and erratum 1690 of RFC 3696.
_MOST_LOCAL = 64
_MOST = 254
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
#: Ends in a letter, and is none of the reserved names (RFC 6761, 6762, 7686); `test` is for trials, which we let pass.
_TOP = r"(?!..--)(?!(?:arpa|invalid|local|localhost|onion)\Z)[a-z](?:[a-z0-9-]{0,61}[a-z])?"
_PLAIN = re.compile(rf"(?:{_LABEL}\.)+{_TOP}")


class NotAnAddressError(ValueError):
    """The words say why, in a sentence without its end; "" where there is nothing to add."""


class TooLongError(NotAnAddressError):
    """Longer than an address can be."""


class UnicodeLocalPartError(NotAnAddressError):
    """An address, but one that only SMTPUTF8 (RFC 6531) carries: SendGrid does not, and neither do we over SMTP."""


def normalised(text: str) -> str:
    """The address with its domain as the domain name system spells it: in ASCII and lower case.

    Raises NotAnAddressError.
    """
    local, at, domain = text.rpartition("@")
    if len(local) > _MOST_LOCAL or len(text) > _MOST:
        raise TooLongError
    lower = domain.lower()
    if _PLAIN.fullmatch(lower) and _LOCAL.fullmatch(local):
        return f"{local}@{lower}"
    if not at:
        raise NotAnAddressError
    return _looked_at(text)


def stored_form(text: str) -> str:
    """How an address, or "@" and a domain, is compared: without blanks around it, in lower case, its domain in ASCII.

    People and providers write a domain in its own letters, readers are stored as the domain name system spells it (`normalised`).
    Whatever is no address stays as it is.
    """
    lower = text.strip().lower()
    local, at, domain = lower.rpartition("@")
    if not at or domain.isascii():
        return lower
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except (idna.IDNAError, UnicodeError):
        return lower


def spellings(text: str) -> list[str]:
    """That form first, and the domain in its own letters where it was written so: a reader may be stored with either."""
    return list(dict.fromkeys([stored_form(text), text.strip().lower()]))


def is_domain(text: str) -> bool:
    """Whether an address could end in it, in lower case and ASCII."""
    try:
        return normalised(f"a@{text}") == f"a@{text}"
    except NotAnAddressError:
        return False


def _looked_at(text: str) -> str:
    try:
        found = validate_email(text, check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError as error:
        raise NotAnAddressError(str(error).rstrip(".")) from error
    # Of the library's trials we take names below `test`, and not `test` itself.
    if "." not in found.ascii_domain:
        raise NotAnAddressError("The part after the @-sign should have a period")
    if found.ascii_email is None:
        raise UnicodeLocalPartError
    # Not the library's own spelling of the local part: it would turn Info@ into info@, and change what we exported.
    return f"{text.rpartition('@')[0]}@{found.ascii_domain.lower()}"
