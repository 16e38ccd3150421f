import pytest

from newsdesk.core.errors import OperationFailedError
from newsdesk.local_stack import ports


def test_a_taken_port_is_refused_or_passed_over() -> None:
    with ports.listen(0) as taken:
        number = ports.port_of(taken)
        with pytest.raises(OperationFailedError, match=rf"^Port {number} cannot be used: Address already in use\.$"):
            ports.listen_at(number)
        with ports.listen_near([number]) as other:
            assert ports.port_of(other) != number
    with ports.listen_near([number]) as again:
        assert ports.port_of(again) == number


@pytest.mark.parametrize("number", [70_000, -1])
def test_a_port_that_cannot_be_is_refused(number: int) -> None:
    with pytest.raises(OperationFailedError, match=rf"^Port {number} cannot be used"):
        ports.listen_at(number)
