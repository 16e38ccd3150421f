"""Addresses of a role are pointed out, and kept."""

from typing import Any

import pytest

from subscribers.models import Subscriber
from subscribers.role_addresses import role
from tests.subscribers.commands import run, run_json
from tests.subscribers.importing import Load


@pytest.mark.parametrize(
    "address",
    [
        *(f"{local}@example.com" for local in ("info", "admin", "postmaster", "abuse", "noreply", "sales", "support")),
        *(
            f"{local}@example.com"
            for local in ("webmaster", "no-reply", "do_not_reply", "INFO", "info+news", "kontakt")
        ),
    ],
)
def test_a_role_is_told(address: str) -> None:
    assert role(address) == address.partition("@")[0].lower()


@pytest.mark.parametrize(
    "address", ["ada@info.com", "informant@example.com", "ada+info@example.com", "sal.es.man@x.com", ""]
)
def test_a_person_is_not(address: str) -> None:
    assert role(address) == ""


@pytest.mark.integration
def test_an_import_names_their_lines_and_keeps_them(load: Load) -> None:
    report = load(
        "email,status\nada@example.com,subscribed\nInfo@example.com,subscribed\nsales@example.com,unsubscribed\n"
    )

    assert [warning.line for warning in report.warnings] == [3]
    assert "Info@example.com" in report.warnings[0].message
    assert (report.created, report.rejected) == (3, ())
    assert Subscriber.objects.filter(email="Info@example.com").exists()


@pytest.mark.integration
def test_many_of_them_hide_no_other_warning(load: Load) -> None:
    roles = "".join(f"info@firm{number}.example\n" for number in range(1500))
    report = load(f"email\n{roles}ada@gmial.com\n")

    assert [warning.line for warning in report.warnings] == [*range(2, 22), 1502, 0]
    assert "perhaps ada@gmail.com" in report.warnings[-2].message
    assert report.warnings[-1].message == "and 1480 more addresses of a role, such as info@"
    assert report.taken == 1501


@pytest.mark.integration
@pytest.mark.django_db
def test_the_page_of_one_says_so(make_subscriber: Any) -> None:
    make_subscriber("info@example.com")
    make_subscriber("ada@example.com")

    assert "of a role" in run("reader", "info@example.com")
    assert "of a role" not in run("reader", "ada@example.com")
    assert set(run_json("reader", "info@example.com")) == set(run_json("reader", "ada@example.com"))
