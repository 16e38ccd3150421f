"""Addresses of great providers that were probably mistyped: told, never changed."""

_MEANT = {
    "gmail.com": "gmial.com gmal.com gmil.com gamil.com gnail.com gmaill.com gmail.con gmail.co gmail.cm gmail.om gmail.comm gmail.cmo gmai.com "
    "gmailcom.com gmail.coom gmail.vom gmail.ocm gimail.com gemail.com googlemail.con gmeil.com",
    "hotmail.com": "hotmial.com hotmal.com hotmai.com hotmil.com hotamil.com hotmaill.com hotmail.con hotmail.co hotmail.cm homail.com hotnail.com "
    "hotmail.comm htomail.com hormail.com",
    "yahoo.com": "yaho.com yahooo.com yahoo.con yahoo.cm yahoo.co yhoo.com yaoo.com yahho.com yhaoo.com yahoo.comm ymail.con",
    "outlook.com": "outlok.com outlook.con outlook.co outloo.com outllok.com outlool.com oulook.com otulook.com outlook.cm",
    "icloud.com": "icloud.con iclod.com icoud.com icloud.co iclould.com iclou.com icloud.cm",
    "aol.com": "aol.con aol.co aoll.com",
    "live.com": "live.con live.cm",
    "msn.com": "msn.con",
    "proton.me": "protonme.com",
    "protonmail.com": "protonmail.con protonmial.com protonmal.com",
    "gmx.de": "gmx.d gmx.dee",
    "web.de": "web.d",
}  # fmt: skip
_RIGHT = {wrong: right for right, typed in _MEANT.items() for wrong in typed.split()}


def meant(address: str) -> str:
    """What was probably meant; "" where nothing looks wrong. The domain is in lower case."""
    local, _, domain = address.rpartition("@")
    right = _RIGHT.get(domain)
    return f"{local}@{right}" if right else ""
