"""What the log leaves out."""

import logging


class WithoutTraceback(logging.Filter):
    """For requests that only probe: one line says enough, and where our code refused them does not matter."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True
