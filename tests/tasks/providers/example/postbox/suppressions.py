"""Postbox's one list: whom it has given up on. A page has two entries, so that there is more than one."""

from collections.abc import Callable
from typing import ClassVar

from subscribers.models import Suppression
from tasks.providers.base import SuppressedAddress, SuppressionList
from tasks.providers.events import EventKind

from .transport import PostboxTransport


class PostboxSuppressionLists:
    """`returned` stands for the provider's machine, the newest first."""

    lists: tuple[SuppressionList, ...] = (
        SuppressionList(name="returned", reason=Suppression.Reason.HARD_BOUNCE.value, kinds=(EventKind.HARD_BOUNCE,)),
    )
    page_size = 2
    returned: ClassVar[list[SuppressedAddress]] = []

    def page(
        self,
        transport: PostboxTransport,
        name: str,
        *,
        since: int | None,
        offset: int,
        wait: Callable[[float], None],
    ) -> list[SuppressedAddress]:
        wanted = [entry for entry in self.returned if since is None or entry.created >= since]
        return wanted[offset : offset + self.page_size]
