"""The team: people, and what role each has where. Who may change what of whom is decided here."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from composer.models import Membership, Publication, Role
from composer.permissions import Right, may, may_anywhere, publication_ids, roles_with, within

#: Publication id → role; None → the role for all publications. An empty role: none.
Roles = Mapping[int | None, str]


class LastAdministratorError(ValidationError):
    """It would leave nobody who can manage the team."""

    def __init__(self) -> None:
        super().__init__(
            "This is the last person who can manage the whole team: make somebody else Administrator first."
        )


def people_for(actor: Any) -> "QuerySet[Any]":
    """Whom the actor's team pages show: those with a role where the actor manages the team, or for all; the last name first."""
    people = _users().prefetch_related("memberships__publication").order_by("last_name", "first_name", "username")
    ids = publication_ids(actor, Right.TEAM)
    if ids is None:
        return people
    there = Membership.objects.filter(Q(publication__in=ids) | Q(publication=None), user=OuterRef("pk"))
    return people.filter(Exists(there) | Q(is_superuser=True)) if ids else people.none()


def may_manage(actor: Any, person: Any) -> bool:
    """Whether the actor may change the account itself: only who manages the team wherever the person has a role.

    Else whoever administers one publication could take over the account of somebody who may more.
    """
    if person.is_superuser:
        return bool(actor.is_active and actor.is_superuser)
    held = Membership.objects.filter(user=person).values_list("publication_id", flat=True)
    return may_anywhere(actor, Right.TEAM) and all(may(actor, Right.TEAM, publication) for publication in held)


def manageable(actor: Any) -> "QuerySet[Publication]":
    """The publications whose team the actor manages, by title."""
    return within(Publication.objects.order_by("title"), actor, Right.TEAM, path="pk")


def add_person(actor: Any, *, email: str, full_name: str, roles: Roles) -> tuple[Any, bool]:
    """The person, and whether the account is new: then it has no password yet.

    An account with this address is given the roles, and stays what it is otherwise. Raises PermissionDenied, ValidationError.
    """
    address = email.strip().lower()
    with transaction.atomic():
        found = _users().filter(Q(email__iexact=address) | Q(username__iexact=address)).order_by("pk").first()
        if found is not None and not found.is_active:
            raise ValidationError("This person was deactivated: activate the account again instead.")
        person = found or get_user_model()._default_manager.create_user(address, address)  # noqa: SLF001 - the public way to the manager
        if found is None:
            _name(person, full_name)
            person.save(update_fields=["first_name", "last_name"])
        set_roles(actor, person, {where: role for where, role in roles.items() if role})
    return person, found is None


def rename(actor: Any, person: Any, *, email: str, full_name: str) -> None:
    """Change name and address. Raises PermissionDenied, ValidationError."""
    if not may_manage(actor, person):
        raise PermissionDenied
    address = email.strip().lower()
    others = _users().exclude(pk=person.pk)
    if address and others.filter(Q(email__iexact=address) | Q(username__iexact=address)).exists():
        raise ValidationError({"email": "Somebody else has this address."})
    if person.username == person.email and address:
        person.username = address
    person.email = address
    _name(person, full_name)
    person.save(update_fields=["username", "email", "first_name", "last_name"])


def set_roles(actor: Any, person: Any, roles: Roles) -> None:
    """Give these roles where they are named, and leave the others. Raises PermissionDenied, LastAdministratorError."""
    if not all(may(actor, Right.TEAM, publication) for publication in roles):
        raise PermissionDenied
    with transaction.atomic():
        had_one = _lock_administrators()
        for publication, role in roles.items():
            held = Membership.objects.filter(user=person, publication=publication)
            if not role:
                held.delete()
            elif not held.update(role=Role(role)):
                Membership.objects.create(user=person, publication_id=publication, role=Role(role))
        if had_one and not administrators().exists():
            raise LastAdministratorError


def set_active(actor: Any, person: Any, *, is_active: bool) -> None:
    """Let a person in, or no longer. Raises PermissionDenied, LastAdministratorError."""
    if not may_manage(actor, person):
        raise PermissionDenied
    with transaction.atomic():
        had_one = _lock_administrators()
        _users().filter(pk=person.pk).update(is_active=is_active)
        if had_one and not administrators().exists():
            raise LastAdministratorError
    person.is_active = is_active


def administrators() -> "QuerySet[Any]":
    """Who can manage the whole team: active, and not still invited."""
    for_all = Membership.objects.filter(user=OuterRef("pk"), publication=None, role__in=roles_with([Right.TEAM]))
    people = _users().filter(Q(is_superuser=True) | Exists(for_all), is_active=True)
    # Django marks a password that was never set with "!".
    return people.exclude(last_login=None, password__startswith="!")  # noqa: S106 - a mark, no password


def _lock_administrators() -> bool:
    """Whether there is one. Of two who take each other's role away at the same moment the second sees what the first did."""
    locked = administrators().select_for_update(no_key=True, of=("self",)).order_by("pk")
    return bool(list(locked.values_list("pk", flat=True)))


def _name(person: Any, full_name: str) -> None:
    first, _, last = " ".join(full_name.split()).rpartition(" ")
    person.first_name, person.last_name = (first, last) if first else (last, "")


def _users() -> "QuerySet[Any]":
    return get_user_model()._default_manager.all()  # noqa: SLF001 - the public way to the model's manager
