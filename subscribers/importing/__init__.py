"""Subscribers from a CSV file: all of it in one transaction, or nothing.

- Columns are read by the preset of the service whose header it is (`presets`), else by their common names; a column that is no
  field becomes an attribute named as its heading. Attributes stay text ("0049145" keeps its zeros); segments read text as
  numbers where a rule asks for them.
- A reader is what the file says: active, pending, unsubscribed, or suppressed for a reason. The worst of all that is said
  holds, in one row, in one file and in all files, whatever their order; a word that is not understood stops the import.
- An empty cell says nothing: what is stored stays. Filled cells replace what is stored, tags are added to it (`Mode` has others).
- Who has left comes back only by a consent whose date is later (`bringing_back`).
- Lines without any text are skipped. An address that appears twice counts once: later rows are rejected.
- A fault beside the address (a time zone, a language, a short row) is a warning; the reader is kept.
- Text is UTF-8, UTF-16, or the one old encoding in which its words make sense; in doubt the file is refused.
"""

from subscribers.importing.layout import Choices
from subscribers.importing.plan import Mode
from subscribers.importing.report import ImportReport, Rejection, Warned
from subscribers.importing.run import import_csv

__all__ = ["Choices", "ImportReport", "Mode", "Rejection", "Warned", "import_csv"]
