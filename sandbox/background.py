"""What all background threads of a sandbox have in common."""

import threading
import traceback
from abc import abstractmethod

from sandbox.state import State

#: Pause after an unexpected error, so that a broken step does not spin.
AFTER_ERROR_SECONDS = 1.0


class Worker(threading.Thread):
    """Repeats `step` until the sandbox stops. A subclass implements `step` and may set `idle_seconds`."""

    #: Pause after a step that found nothing to do.
    idle_seconds = 0.05

    def __init__(self, state: State, *, name: str) -> None:
        super().__init__(name=f"sandbox-{name}", daemon=True)
        self.state = state

    @abstractmethod
    def step(self) -> bool:
        """Do one piece of work; False when there was none."""

    def run(self) -> None:
        stopping = self.state.stopping
        while not stopping.is_set():
            try:
                pause = 0.0 if self.step() else self.idle_seconds
            except Exception:  # noqa: BLE001 -- the thread must outlive one broken request
                if stopping.is_set():
                    return  # the ledger was closed under a step that took too long
                traceback.print_exc()
                pause = AFTER_ERROR_SECONDS
            if pause:
                stopping.wait(pause)
