"""A small valid world: a publication with lists, and readers on them."""

from collections.abc import Callable
from typing import Any

import pytest

from composer.models import Publication
from subscribers.models import List, Subscriber, Subscription
from tests.subscribers.importing import Load, loader

MakeList = Callable[..., List]
MakeSubscriber = Callable[..., Subscriber]


@pytest.fixture
def publication(db: None) -> Publication:
    return _publication("weekly")


@pytest.fixture
def load(publication: Publication) -> Load:
    return loader(publication)


@pytest.fixture
def other_publication(db: None) -> Publication:
    return _publication("other")


@pytest.fixture
def make_list(publication: Publication) -> MakeList:
    def make(slug: str = "readers", *, publication: Publication = publication) -> List:
        return List.objects.create(publication=publication, slug=slug, name=slug.title())

    return make


@pytest.fixture
def make_subscriber() -> MakeSubscriber:
    def make(email: str = "ada@example.com", *, lists: dict[List, str] | None = None, **values: Any) -> Subscriber:
        subscriber = Subscriber.objects.create(email=email, **values)
        for where, status in (lists or {}).items():
            Subscription.objects.create(subscriber=subscriber, list=where, status=status)
        return subscriber

    return make


def _publication(slug: str) -> Publication:
    return Publication.objects.create(
        slug=slug, title=slug.title(), from_name="Desk", from_email="desk@example.com", postal_address="1 High Street"
    )
