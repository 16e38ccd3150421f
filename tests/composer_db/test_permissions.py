"""Roles and rights: the one answer to who may do what where, and how the team is changed."""

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from composer import team
from composer.models import Edition, Membership, Publication, Role
from composer.permissions import (
    RIGHTS,
    Right,
    may,
    may_anywhere,
    people_who_may,
    publications,
    within,
)

Make = Callable[..., Any]
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "roles.md"


@pytest.fixture
def other(make_publication: Make) -> Publication:
    made: Publication = make_publication(slug="other", title="The Other")
    return made


def give(user: Any, role: str, publication: Publication | None = None) -> Any:
    Membership.objects.create(user=user, role=role, publication=publication)
    return type(user).objects.get(pk=user.pk)


def test_the_table_for_readers_is_the_table_that_holds() -> None:
    rows = re.findall(r"^\| ([^|]+) \|((?:[^|\n]*\|){5})$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    table = {name.strip(): [cell.strip() for cell in cells.split("|")[:-1]] for name, cells in rows}
    roles = [Role(name.lower()) for name in table.pop("right")]

    assert {
        right: {role for role, cell in zip(roles, cells, strict=True) if cell} for right, cells in table.items()
    } == {str(right): {role for role in roles if right in RIGHTS[role]} for right in Right}


def test_a_role_holds_where_it_was_given(make_user: Make, publication: Publication, other: Publication) -> None:
    ada = give(make_user(), "editor", publication)

    assert may(ada, Right.APPROVE, publication)
    assert may(ada, Right.APPROVE, publication.pk)
    assert not may(ada, Right.APPROVE, other)
    assert not may(ada, Right.APPROVE, None)
    assert not may(ada, Right.SEND, publication)
    assert may_anywhere(ada, Right.APPROVE)
    assert list(publications(ada, Right.SEE)) == [publication]


def test_a_role_for_all_holds_for_those_to_come(make_user: Make, make_publication: Make) -> None:
    ada = give(make_user(), "publisher")

    assert may(ada, Right.SEND, make_publication(slug="later"))
    assert may(ada, Right.SEND, None)
    assert not may_anywhere(ada, Right.TEAM)


def test_roles_add_up(make_user: Make, publication: Publication, other: Publication) -> None:
    ada = make_user()
    give(ada, "analyst")
    ada = give(ada, "writer", publication)

    assert may(ada, Right.WRITE, publication)
    assert may(ada, Right.RESULTS, publication)
    assert not may(ada, Right.WRITE, other)
    assert may(ada, Right.RESULTS, other)


def test_superusers_may_everything_and_who_is_out_nothing(make_user: Make, publication: Publication) -> None:
    root = make_user("root", is_superuser=True)
    assert all(may(root, right, None) for right in Right)
    for user in (AnonymousUser(), give(make_user("gone", is_active=False), "administrator"), make_user("nobody")):
        assert not any(may(user, right, publication) or may_anywhere(user, right) for right in Right)
        assert not user.has_perm("wagtailadmin.access_admin")


def test_what_django_is_told(make_user: Make, publication: Publication) -> None:
    ada = give(make_user(), "writer", publication)
    one_administrator = give(make_user("one"), "administrator", publication)
    ada.user_permissions.add(Permission.objects.get(codename="delete_publication"))
    group = Group.objects.create(name="Everything")
    group.permissions.set(Permission.objects.all())
    ada.groups.add(group)

    assert ada.has_perms(["wagtailadmin.access_admin", "composer.add_story", "composer.change_edition"])
    assert not ada.has_perm("composer.delete_publication")
    assert not ada.has_perm("composer.change_source")
    assert not ada.has_perm("auth.change_user")
    assert not ada.has_perm("composer.publish_edition")
    assert one_administrator.has_perm("composer.change_publication")
    assert not one_administrator.has_perm("composer.add_publication")


def test_a_persons_rights_cost_one_query(
    make_user: Make, publication: Publication, other: Publication, django_assert_num_queries: Any
) -> None:
    ada = give(make_user(), "editor", publication)

    with django_assert_num_queries(1):
        for _ in range(50):
            may(ada, Right.APPROVE, publication)
            may(ada, Right.SEND, other)
            ada.has_perm("composer.add_story")
    with django_assert_num_queries(1):
        list(within(Edition.objects.all(), ada, Right.SEE))


def test_people_who_may(make_user: Make, publication: Publication, other: Publication) -> None:
    give(make_user("here"), "editor", publication)
    give(make_user("there"), "editor", other)
    give(make_user("all"), "publisher")
    give(make_user("writer"), "writer", publication)
    give(make_user("gone", is_active=False), "editor", publication)
    make_user("root", is_superuser=True)

    def names(where: Publication | None) -> list[str]:
        return sorted(person.username for person in people_who_may(Right.APPROVE, where))

    assert names(publication) == ["all", "here", "root"]
    assert names(None) == ["all", "here", "root", "there"]


def test_one_role_in_a_publication_and_one_for_all(make_user: Make, publication: Publication) -> None:
    ada = make_user()
    for where in (publication, None):
        give(ada, "editor", where)
        with pytest.raises(IntegrityError), transaction.atomic():
            give(ada, "writer", where)
    with pytest.raises(IntegrityError), transaction.atomic():
        give(make_user("bob"), "emperor")


def test_groups_become_roles(make_user: Make) -> None:
    migration = importlib.import_module("composer.migrations.0012_roles_replace_groups")
    content_type = ContentType.objects.get_for_model(Edition)
    approving = Permission.objects.create(content_type=content_type, codename="approve_edition", name="approve")
    editors, desk = Group.objects.create(name="Editors"), Group.objects.create(name="The desk")
    desk.permissions.add(approving)
    ada, bob, eve, vic = (make_user(name) for name in ("ada", "bob", "eve", "vic"))
    ada.groups.add(desk, editors)
    bob.user_permissions.add(Permission.objects.get(codename="change_edition"))
    eve.user_permissions.add(Permission.objects.get(codename="view_story"))
    vic.groups.add(editors)

    migration.give_roles(apps, None)

    assert set(Membership.objects.values_list("user__username", "publication", "role")) == {
        ("ada", None, "publisher"),
        ("bob", None, "writer"),
        ("eve", None, "analyst"),
    }
    assert list(Group.objects.values_list("name", flat=True)) == ["The desk"]


def test_a_new_installation_has_no_groups(db: None) -> None:
    assert not Group.objects.exists()


# The team


def test_the_last_administrator_stays(make_user: Make, publication: Publication) -> None:
    chief = give(make_user("chief", password="rivers in the north 7"), "administrator")
    deputy = make_user("deputy")

    for change in (
        lambda: team.set_roles(chief, chief, {None: "writer"}),
        lambda: team.set_roles(chief, chief, {None: ""}),
        lambda: team.set_active(chief, chief, is_active=False),
    ):
        with pytest.raises(team.LastAdministratorError):
            change()
    chief.refresh_from_db()
    assert chief.is_active
    assert Membership.objects.get(user=chief).role == "administrator"

    # Somebody who was invited and never came cannot take over.
    invited, _ = team.add_person(chief, email="new@example.com", full_name="", roles={None: "administrator"})
    with pytest.raises(team.LastAdministratorError):
        team.set_active(chief, chief, is_active=False)
    invited.set_password("a long password of hers")
    invited.save()
    team.set_roles(chief, deputy, {publication.pk: "writer"})
    team.set_active(chief, chief, is_active=False)
    assert not type(chief).objects.get(pk=chief.pk).is_active


def test_who_administers_one_publication_changes_only_its_team(
    make_user: Make, publication: Publication, other: Publication
) -> None:
    one = give(make_user("one"), "administrator", publication)
    theirs = give(make_user("theirs"), "writer", publication)
    elsewhere = give(make_user("elsewhere"), "writer", other)
    both = give(give(make_user("both"), "writer", publication), "editor", other)
    root = make_user("root", is_superuser=True)

    assert {person.username for person in team.people_for(one)} == {"one", "theirs", "both", "root"}
    assert team.may_manage(one, theirs)
    assert not any(team.may_manage(one, person) for person in (elsewhere, both, root))
    team.set_roles(one, both, {publication.pk: "publisher"})
    for change in (
        lambda: team.set_roles(one, both, {other.pk: "publisher"}),
        lambda: team.set_roles(one, theirs, {None: "writer"}),
        lambda: team.set_active(one, both, is_active=False),
        lambda: team.rename(one, root, email="mine@example.com", full_name="Mine"),
        lambda: team.add_person(one, email="x@example.com", full_name="", roles={None: "administrator"}),
    ):
        with pytest.raises(PermissionDenied):
            change()
    assert not type(one).objects.filter(email="x@example.com").exists()


def test_an_address_is_one_persons(make_user: Make, publication: Publication) -> None:
    chief, bob = give(make_user("chief"), "administrator"), give(make_user("bob"), "writer", publication)

    person, is_new = team.add_person(chief, email=" BOB@example.com", full_name="X", roles={publication.pk: "editor"})

    assert (person, is_new) == (bob, False)
    assert Membership.objects.get(user=bob).role == "editor"
    with pytest.raises(ValidationError, match="Somebody else"):
        team.rename(chief, bob, email="Chief@example.com", full_name="Bob")
    team.set_active(chief, bob, is_active=False)
    with pytest.raises(ValidationError, match="deactivated"):
        team.add_person(chief, email="bob@example.com", full_name="", roles={publication.pk: "editor"})
