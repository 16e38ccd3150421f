"""Single messages outside any send: tests and alarms. Each goes out at most once, and before all batches."""

from tasks.letters.healing import heal
from tasks.letters.submitting import submit_letter, submit_waiting
from tasks.letters.writing import write

__all__ = ["heal", "submit_letter", "submit_waiting", "write"]
