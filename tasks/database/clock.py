"""The database's clock, which is everybody's."""

from datetime import datetime

from django.db import connection


def now() -> datetime:
    """The moment of this statement, with its offset."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
