"""Addresses of web pages: without what only follows readers around, and in the one form that all spellings share."""

import re
from contextlib import suppress
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

#: Parameters that say where a reader came from and never which page is meant. Names that end in * are beginnings.
#: Collected from the vendors' own pages (Google Analytics and Ads, Meta, Microsoft, Mailchimp, HubSpot, Matomo, …).
_TRACKING = re.findall(
    r"\S+",
    "utm_* mtm_* pk_* matomo_* piwik_* hsa_* _hs* vero_* oly_* ns_* at_* itm_* trk_* stm_* sc_c* ga_* "
    "fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid ysclid twclid ttclid li_fat_id igshid igsh epik srsltid "
    "mc_cid mc_eid mkt_tok _ga _gl _ke __s s_cid s_kwcid wickedid irclickid rb_clickid cmpid ncid icid ocid "
    "cmp campaign_id smid smtyp taid ref ref_src ref_url referrer referer share shareadraft sharetype source_caller "
    "feature si spm scm xtor partner ito guccounter guce_referrer guce_referrer_sig __twitter_impression",
)
_NAMES = frozenset(name for name in _TRACKING if not name.endswith("*"))
_BEGINNINGS = tuple(name[:-1] for name in _TRACKING if name.endswith("*"))
#: Parameters that ask for the AMP or the mobile form of a page.
_FORMS = {"amp": {"", "1", "true", "amp"}, "outputtype": {"amp"}, "m": {"", "1"}, "mobile": {"", "1"}}
_AMP_CACHE = re.compile(r"/(?:c|v|i)/(?:s/)?(?P<rest>[^/]+\.[^/]+.*)")
_GOOGLE_AMP = re.compile(r"/amp/(?:s/)?(?P<rest>[^/]+\.[^/]+.*)")
_GOOGLE = re.compile(r"(?:www\.)?google\.[a-z.]{2,6}")
_AMP_ENDING = re.compile(r"(?:/amp|\.amp)(?P<rest>\.html?)?/?\Z", re.IGNORECASE)
_AMP_BEGINNING = re.compile(r"\A/amp(?=/.)", re.IGNORECASE)
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?|jsp)\Z", re.IGNORECASE)
#: What stands before a host's name for the same pages in another form. A bare domain of two labels keeps them: m.de.
_FORM_HOST = re.compile(r"\A(?:www\d?|m|mobile|mobil|amp|touch)\.(?=[^.]+\.[^.])")
#: RFC 3986, section 2.3 and 2.2: what a path may hold unescaped.
_PATH_SAFE = "/:@!$&'()*+,;=~-._"
LONGEST = 4000


def without_tracking(url: str) -> str:
    """An address that opens the same page: tracking parameters and the fragment are gone, an AMP cache's is unwrapped.

    What is no web address comes back as it is.
    """
    parts = _split(url)
    if parts is None:
        return url.strip()
    parts = _unwrapped(parts)
    return parts._replace(query=_query(parts.query), fragment=_fragment(parts.fragment)).geturl()


def canonical_url(url: str) -> str:
    """What all spellings of one page's address have in common, to be compared and not to be opened.

    Always https, without www, mobile and AMP forms, a default port, tracking parameters, the fragment and a trailing slash;
    parameters are in order, escapes in one form (RFC 3986, section 6.2). What is no web address comes back as it is.
    """
    parts = _split(url)
    if parts is None:
        return url.strip()
    parts = _unwrapped(parts)
    host = _host(parts)
    path = quote(unquote(parts.path, errors="surrogateescape"), safe=_PATH_SAFE, errors="surrogateescape")
    path = _AMP_ENDING.sub(lambda ending: ending["rest"] or "", _AMP_BEGINNING.sub("", path))
    path = _INDEX.sub("", path).rstrip("/")
    query = urlencode(sorted(_wanted(parts.query)), errors="surrogateescape")
    return SplitResult("https", host, path, query, _fragment(parts.fragment)).geturl()


def _split(url: str) -> SplitResult | None:
    """The parts of a web address, None for anything else."""
    written = re.sub(r"[\x00-\x20\x7f]", "", url[:LONGEST])
    if not written.lower().startswith(("http://", "https://", "//")):
        return None
    try:
        parts = urlsplit(written if not written.startswith("//") else f"https:{written}")
        known = (parts.hostname, parts.port)
    except ValueError:  # a port that is no number, an IPv6 address without its end
        return None
    return parts if known[0] else None


def _unwrapped(parts: SplitResult) -> SplitResult:
    """The publisher's own address of a page that an AMP cache or Google's AMP viewer serves."""
    host = (parts.hostname or "").lower()
    found = None
    if host.endswith(".cdn.ampproject.org"):
        found = _AMP_CACHE.match(parts.path)
    elif _GOOGLE.fullmatch(host):
        found = _GOOGLE_AMP.match(parts.path)
    own = _split(f"https://{found['rest']}") if found else None
    return own._replace(query=parts.query) if own else parts


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    with suppress(UnicodeError):  # no name that can exist: it is compared as it is written
        host = host.encode("idna").decode() if not host.isascii() else host
    host = _FORM_HOST.sub("", _FORM_HOST.sub("", host))
    host = host.replace(".m.wikipedia.org", ".wikipedia.org")
    if ":" in host:
        host = f"[{host}]"
    return host if parts.port in {None, 80, 443} else f"{host}:{parts.port}"


def _query(query: str) -> str:
    """The query as it is written, without tracking."""
    kept = [pair for pair in query.split("&") if pair and not _is_tracking(unquote(pair.partition("=")[0]))]
    return "&".join(kept)


def _wanted(query: str) -> list[tuple[str, str]]:
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    return [
        (name, value)
        for name, value in pairs
        if not _is_tracking(name) and value.lower() not in _FORMS.get(name.lower(), ())
    ]


def _is_tracking(name: str) -> bool:
    lower = name.lower()
    return lower in _NAMES or lower.startswith(_BEGINNINGS)


def _fragment(fragment: str) -> str:
    """A fragment names a place in a page, but "#!/…" names a page (an old convention of Google's)."""
    return fragment if fragment.startswith("!") else ""
