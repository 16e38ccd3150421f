"""The readers during a run: some of them leave by the link in the mail they got last week."""

import time
import urllib.error
import urllib.request

from tests.chaos.house import House
from tests.chaos.judge import Unsubscribe
from tests.chaos.plans import Plan
from tests.chaos.questions import WAITING_READERS


class Readers:
    """`complaints`: unsubscribes that nobody answered."""

    def __init__(self, house: House, plan: Plan, edition: int) -> None:
        self._house, self._plan, self._edition = house, plan, edition
        self.unsubscribes: list[Unsubscribe] = []
        self.complaints: list[str] = []

    def unsubscribe(self, number: int) -> int:
        """So many click, those first whose batch is still waiting; how many there were."""
        salt = f"{self._plan.seed}/{len(self.unsubscribes)}"
        gone = [one.address for one in self.unsubscribes]
        readers = self._house.rows(WAITING_READERS, [self._edition, gone, salt, number])
        if not readers:
            return 0
        urls = self._house.do("unsubscribe_urls", send=readers[0][0], subscribers=[reader[1] for reader in readers])
        for (_, _, address), url in zip(readers, urls, strict=True):
            if not _one_click(url):
                self.complaints.append(f"the unsubscribe of {address} was not answered")
                break
            self.unsubscribes.append(Unsubscribe(address=address, answered=time.time()))
        return len(readers)


def _one_click(url: str, patience: float = 30.0) -> bool:
    """RFC 8058, as a mailbox provider does it: again when nobody answers."""
    deadline = time.monotonic() + patience
    while True:
        request = urllib.request.Request(url, data=b"List-Unsubscribe=One-Click", method="POST")
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return 200 <= answer.status < 300
        except (OSError, urllib.error.HTTPError):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
