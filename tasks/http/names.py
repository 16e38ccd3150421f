"""Addresses of a name, within a time limit: getaddrinfo has none, and a resolver that does not answer keeps it for minutes."""

import ipaddress
import socket
import threading


class NameNotResolvedError(OSError):
    """The name has no address, or nobody said so in time."""


def addresses(host: str, port: int, *, seconds: float) -> list[str]:
    """The name's addresses in the resolver's order; an address is itself. Raises NameNotResolvedError."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    else:
        return [host]
    found: list[str] = []
    problems: list[OSError] = []

    def look_up() -> None:
        try:
            found.extend(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            problems.append(OSError(str(error)))

    # A daemon: nothing can end it before its time, and nobody waits for it at the end.
    looking = threading.Thread(target=look_up, name="name-lookup", daemon=True)
    looking.start()
    looking.join(seconds)
    if looking.is_alive():
        raise NameNotResolvedError(f"the name {host} was not resolved within {seconds:g} s")
    if problems or not found:
        raise NameNotResolvedError(f"the name {host} cannot be resolved: {problems[0] if problems else 'no address'}")
    return list(dict.fromkeys(found))
