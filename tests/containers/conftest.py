"""These run where NEWSDESK_CONTAINERS is set (`make containers`) and an engine answers: they build the image and start every service."""

import os
from collections.abc import Iterator

import pytest

from tests.containers import stack as containers
from tests.containers.stack import Stack


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """All services of the file, two workers, healthy; of a failed run the last lines of their logs are printed."""
    if "NEWSDESK_CONTAINERS" not in os.environ:
        pytest.skip("minutes: `make containers` runs it, with a container engine")
    if why := containers.why_not():
        pytest.skip(why)
    stack, failed_before = Stack(), request.session.testsfailed
    try:
        stack.build()
        stack.up()
        yield stack
    finally:
        if request.session.testsfailed > failed_before or not stack.is_up:
            print(stack.logs())
        stack.close()
