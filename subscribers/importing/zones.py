"""Time zones and languages in the words that people and services use; "" for what cannot be understood."""

import functools
import re
import zoneinfo

#: RFC 5646: language, script, region, variants; a private use subtag is no language anybody writes in.
_TAG = re.compile(r"([a-z]{2,3})(-[a-z]{4})?(-(?:[a-z]{2}|[0-9]{3}))?((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)")
_OFFSET = re.compile(r"\(?(?:gmt|utc)?\s*([+-])\s*(\d{1,2})(?::?(\d\d))?\)?", re.IGNORECASE)
_LEADING_OFFSET = re.compile(r"\((?:GMT|UTC)\s*([+-]\d\d:\d\d)?\)\s*", re.IGNORECASE)
#: Zones that keep their offset all year, for offsets that are no whole hours.
_HALVES = {
    "+03:30": "Asia/Tehran", "+04:30": "Asia/Kabul", "+05:30": "Asia/Kolkata", "+05:45": "Asia/Kathmandu",
    "+06:30": "Asia/Yangon", "+09:30": "Australia/Darwin",
}  # fmt: skip
#: Names of Windows, Rails and watches. CST and IST mean several zones each, and are left out.
_NAMES = {
    "sgt": "Asia/Singapore", "hkt": "Asia/Hong_Kong", "jst": "Asia/Tokyo", "kst": "Asia/Seoul", "myt": "Asia/Kuala_Lumpur",
    "pht": "Asia/Manila", "ict": "Asia/Bangkok", "wib": "Asia/Jakarta", "pkt": "Asia/Karachi", "msk": "Europe/Moscow",
    "cest": "Europe/Berlin", "eest": "Europe/Helsinki", "west": "Europe/Lisbon", "edt": "America/New_York",
    "cdt": "America/Chicago", "mdt": "America/Denver", "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles",
    "akst": "America/Anchorage", "akdt": "America/Anchorage", "aest": "Australia/Sydney", "aedt": "Australia/Sydney",
    "acst": "Australia/Adelaide", "awst": "Australia/Perth", "nzst": "Pacific/Auckland", "nzdt": "Pacific/Auckland",
    "sast": "Africa/Johannesburg", "brt": "America/Sao_Paulo", "gmt": "Etc/GMT", "z": "Etc/UTC",
    "eastern time (us & canada)": "America/New_York", "eastern time": "America/New_York",
    "eastern standard time": "America/New_York", "central time (us & canada)": "America/Chicago",
    "central time": "America/Chicago", "central standard time": "America/Chicago",
    "mountain time (us & canada)": "America/Denver", "mountain time": "America/Denver",
    "mountain standard time": "America/Denver", "pacific time (us & canada)": "America/Los_Angeles",
    "pacific time": "America/Los_Angeles", "pacific standard time": "America/Los_Angeles",
    "singapore standard time": "Asia/Singapore", "tokyo standard time": "Asia/Tokyo", "china standard time": "Asia/Shanghai",
    "india standard time": "Asia/Kolkata", "gmt standard time": "Europe/London", "romance standard time": "Europe/Paris",
    "w. europe standard time": "Europe/Berlin", "central europe standard time": "Europe/Budapest",
    "aus eastern standard time": "Australia/Sydney", "beijing": "Asia/Shanghai", "new delhi": "Asia/Kolkata",
}  # fmt: skip
_LANGUAGES = {
    "en": "english englisch anglais inglés ingles inglês inglese engels", "fr": "french français francais französisch francés francês",
    "de": "german deutsch allemand alemán alemão tedesco duits", "es": "spanish español espanol spanisch espagnol castellano espanhol",
    "pt": "portuguese português portugues portugiesisch portugais portugués", "it": "italian italiano italienisch italien",
    "nl": "dutch nederlands niederländisch néerlandais flemish", "zh": "chinese mandarin 中文 汉语 漢語 chinesisch chinois chino",
    "ja": "japanese 日本語 japanisch japonais japonés", "ko": "korean 한국어 koreanisch coréen", "ar": "arabic العربية arabisch arabe",
    "ru": "russian русский russisch russe", "uk": "ukrainian українська", "pl": "polish polski polnisch polonais",
    "cs": "czech čeština tschechisch", "sk": "slovak slovenčina", "sv": "swedish svenska schwedisch", "da": "danish dansk dänisch",
    "nb": "bokmål", "no": "norwegian norsk norwegisch", "fi": "finnish suomi finnisch", "hu": "hungarian magyar", "ro": "romanian română",
    "bg": "bulgarian български", "el": "greek ελληνικά", "tr": "turkish türkçe türkisch", "he": "hebrew עברית", "hi": "hindi हिन्दी",
    "bn": "bengali", "ta": "tamil", "te": "telugu", "th": "thai ไทย", "vi": "vietnamese", "id": "indonesian", "ms": "malay",
    "tl": "tagalog", "fil": "filipino", "fa": "persian farsi", "ur": "urdu", "hr": "croatian hrvatski", "sr": "serbian",
    "sl": "slovenian slovene", "lt": "lithuanian", "lv": "latvian", "et": "estonian", "ca": "catalan català", "is": "icelandic",
    "ga": "irish", "cy": "welsh cymraeg", "eu": "basque", "gl": "galician", "sw": "swahili", "af": "afrikaans",
}  # fmt: skip
_WORDS = {word: tag for tag, words in _LANGUAGES.items() for word in words.split()}
_REGIONS = {
    "brazil": "BR", "brasil": "BR", "portugal": "PT", "united states": "US", "us": "US", "usa": "US", "united kingdom": "GB", "uk": "GB",
    "gb": "GB", "canada": "CA", "australia": "AU", "mexico": "MX", "méxico": "MX", "spain": "ES", "france": "FR", "germany": "DE",
    "switzerland": "CH", "austria": "AT", "belgium": "BE", "singapore": "SG", "india": "IN", "taiwan": "TW", "hong kong": "HK",
    "china": "CN", "simplified": "Hans", "traditional": "Hant", "latin america": "419", "ireland": "IE", "argentina": "AR",
}  # fmt: skip
_WITH_REGION = re.compile(r"([^()]+?)\s*(?:\(([^()]+)\)|[-–,]\s+([^()]+))")


@functools.lru_cache(maxsize=1000)
def language(cell: str) -> str:
    """The tag in its customary case (RFC 5646, section 2.1.1); an underscore is taken for a hyphen."""
    match = _TAG.fullmatch(cell.replace("_", "-").lower())
    if match and len(cell) <= 20:
        primary, script, region, variants = match.groups(default="")
        return primary + script.title() + region.upper() + variants
    folded = cell.casefold().strip()
    if folded in _WORDS:
        return _WORDS[folded]
    pair = _WITH_REGION.fullmatch(folded)
    if not pair or pair[1] not in _WORDS:
        return ""
    region = _REGIONS.get(pair[2] or pair[3], "")
    return f"{_WORDS[pair[1]]}-{region}" if region else _WORDS[pair[1]]


@functools.lru_cache(maxsize=1000)
def timezone(cell: str) -> str:
    """The IANA name."""
    if cell in _zones().values():
        return cell
    folded = cell.casefold().strip()
    known = _zones().get(folded.replace(" ", "_"))
    if known or folded in _NAMES:
        return known or _NAMES[folded]
    lead = _LEADING_OFFSET.match(cell)
    if lead and lead.end() < len(cell):
        # The name knows of summer time; the offset before it does not, and is the second best.
        return timezone(cell[lead.end() :]) or (timezone(lead[1]) if lead[1] else "")
    offset = _OFFSET.fullmatch(folded)
    return _by_offset(offset[1], int(offset[2]), int(offset[3] or 0)) if offset else ""


def _by_offset(sign: str, hours: int, minutes: int) -> str:
    if minutes:
        return _HALVES.get(f"{sign}{hours:02}:{minutes:02}", "")
    # POSIX counts these westwards.
    return _zones().get(f"etc/gmt{'-' if sign == '+' else '+'}{hours}", "")


@functools.cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in zoneinfo.available_timezones()}
