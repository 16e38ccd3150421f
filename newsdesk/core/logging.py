"""How Newsdesk tells what happens: one line each, and what those lines leave out."""

import logging
import sys

import structlog


class WithoutTraceback(logging.Filter):
    """For requests that only probe: one line says enough, and where our code refused them does not matter."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


def configure_events(level: str) -> None:
    """Send structlog's events of this level (NEWSDESK_LOG_LEVEL) and above to stderr, in colour on a terminal."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24, sort_keys=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        # Whatever stderr is at that moment.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
