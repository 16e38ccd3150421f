"""A home that is copied in its place, as `cp -a` or a backup does it."""

import shutil

from django.conf import settings


def copy_home() -> None:
    """All is as it was, but the files are others."""
    marks = settings.HOME.marks
    shutil.copytree(marks, marks.with_name("copy"))
    shutil.rmtree(marks.with_name("original"), ignore_errors=True)
    marks.rename(marks.with_name("original"))
    marks.with_name("copy").rename(marks)


def bring_original_back() -> None:
    marks = settings.HOME.marks
    shutil.rmtree(marks)
    marks.with_name("original").rename(marks)
