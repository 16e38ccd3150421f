"""A database from which mail would go out wrongly is refused at the start."""

import pytest
from django.db import connection

from tasks.database import identity

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("isolation", ["serializable", "repeatable read"])
def test_another_isolation_than_read_committed_is_refused_with_words(isolation: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL default_transaction_isolation = '{isolation}'")

    with pytest.raises(identity.UnsafeDatabaseError, match=f"default_transaction_isolation is {isolation}"):
        identity.refuse_unsafe_database()


def test_the_usual_one_is_taken() -> None:
    identity.refuse_unsafe_database()
