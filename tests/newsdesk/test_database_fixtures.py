import pytest
from django.contrib.auth.models import User
from django.db import connection
from wagtail.models import Collection

pytestmark = pytest.mark.integration


@pytest.mark.django_db
def test_a_test_sees_what_migrations_made() -> None:
    assert Collection.objects.filter(depth=1).exists()
    User.objects.create_user("left")


@pytest.mark.django_db
def test_a_test_leaves_nothing() -> None:
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_a_committing_test_leaves_nothing(turn: int) -> None:
    assert Collection.objects.filter(depth=1).exists()
    assert not connection.in_atomic_block
    assert not User.objects.exists()
    User.objects.create_user("committed")


def test_the_broker_answers(valkey_url: str) -> None:
    import redis

    client = redis.Redis.from_url(valkey_url.replace("redis+socket", "unix").replace("virtual_host", "db"))
    assert client.ping()
    client.close()
