"""One-click unsubscribing (RFC 8058): the two headers that go together."""


def list_unsubscribe(url: str) -> dict[str, str]:
    """The headers for a reader's own URL, which is one line of ASCII. Never fold them: some clients read one line only."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
