"""Beat goes on when its machine's clock is put back: Celery's own waits until the clock has caught up with the last run."""

from datetime import timedelta
from typing import Any

import structlog
from celery.beat import PersistentScheduler

log = structlog.get_logger(__name__)

#: A last run that lies further ahead was made by a clock that was ahead.
_TOLERANCE = timedelta(seconds=1)


class SteadyScheduler(PersistentScheduler):
    """Celery's scheduler, which takes a last run in the future for one that is just over."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """As Celery's: run what is due; the seconds until the next look."""
        now = self.app.now()
        ahead = [
            entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > now + _TOLERANCE
        ]
        if ahead:
            log.error("beat_clock_was_ahead", seconds=max(entry.last_run_at - now for entry in ahead).total_seconds())
            for entry in ahead:
                entry.last_run_at = now
            # It is kept in the order of the times at which entries are due, of which some lie ahead too.
            self._heap = None
        return float(super().tick(*args, **kwargs))
