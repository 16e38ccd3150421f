"""Subscribers from a CSV file: all of it in one transaction, or nothing.

- Columns: ``email`` (needed), ``name``, ``language``, ``timezone``, ``tags``; every other column becomes an attribute named
  as its heading. Headings of the five are read without case. The separator (comma, semicolon, tab) is the heading's.
- Attributes stay text ("0049145" keeps its zeros); segments read text as numbers where a rule asks for them.
- Tags are separated by semicolons, commas or bars.
- An empty cell says nothing: what is stored stays. Filled cells replace what is stored, tags are added to it.
- Lines without any text are skipped. An address that appears twice counts once: later rows are rejected.
- Whoever unsubscribed from the list or the publication stays so; whoever waits for a confirmation becomes active.
- Text is UTF-8 or UTF-16; a file without any UTF-8 in it is read as Windows-1252.
"""

from subscribers.importing.report import ImportReport, Rejection
from subscribers.importing.run import import_csv

__all__ = ["ImportReport", "Rejection", "import_csv"]
