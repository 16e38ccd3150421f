"""What an inbox shows beside the subject, where the editor wrote nothing."""

from collections.abc import Sequence

#: Characters that an inbox shows at most.
_SHOWN = 110
#: Characters that an edition keeps.
_KEPT = 300


def preheader_of(headlines: Sequence[str]) -> str:
    """The first headlines, as many as an inbox shows; empty without any."""
    shown = headlines[0] if headlines else ""
    for headline in headlines[1:]:
        if len(shown) + len(headline) > _SHOWN:
            break
        shown = f"{shown} · {headline}"
    return shown[:_KEPT]
