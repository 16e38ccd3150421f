"""Addresses of a role instead of a person: several read them, nobody of them agreed, and spam traps look like that.

They are pointed out and never refused: in a small firm `info@` may be the one reader there is. A name with dots or dashes counts as
one without (`no-reply`), what follows a plus sign does not count (`info+news@`).
"""

#: RFC 2142 first, then what mail services refuse or warn of, then the same in other languages.
_WORDS = """
    info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster www uucp ftp
    admin administrator root sysadmin mailerdaemon daemon noreply donotreply bounce bounces spam null nobody devnull
    list lists listserv majordomo mailinglist newsletter newsletters subscribe unsubscribe all everyone staff team undisclosedrecipients
    hello contact contactus office mail mailbox enquiries inquiries enquiry inquiry help helpdesk service services customerservice
    customercare feedback press media editor editorial newsroom pr hr jobs careers recruitment recruiting
    billing accounts accounting invoice invoices payments finance orders order shop store booking bookings reservations reception
    privacy legal compliance dpo dns domains registrar ssladmin hosting it tech webadmin
    kontakt buero verwaltung buchhaltung rechnung rechnungen redaktion presse vertrieb verkauf bestellung datenschutz bewerbung
    contacto ventas soporte administracion contato vendas suporte contatto contatti vendite assistenza amministrazione
    ventes commercial accueil comptabilite secretariat biuro sekretariat
"""
_ROLES = frozenset(_WORDS.split())
_APART = str.maketrans("", "", "-_.")


def role(address: str) -> str:
    """The role that the address names, as it is written there in lower case; "" for all others."""
    local = address.partition("@")[0].lower()
    if local.isalpha():
        return local if local in _ROLES else ""
    plain = local.partition("+")[0].translate(_APART)
    return local if plain in _ROLES else ""
