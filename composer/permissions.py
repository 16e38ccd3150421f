"""Who may do what in which publication: the rights, the roles that give them, and the only place where they are asked for.

The table for readers: docs/reference/roles.md. A person's rights cost one query and are kept with the user object, which lives
as long as its request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet

from composer.models.membership import Membership, Role
from composer.models.publication import Publication


class Right(StrEnum):
    """One thing a person may do in a publication."""

    SEE = "see stories and editions"
    WRITE = "write stories"
    EDIT = "edit editions"
    SOURCES = "manage sources"
    APPROVE = "approve and reopen"
    SEND = "schedule, pause, resume, cancel and undo"
    RESULTS = "see results"
    READERS = "see readers"
    PUBLICATION = "manage the publication"
    TEAM = "manage the team"


_WRITER = frozenset({Right.SEE, Right.WRITE, Right.EDIT})
_EDITOR = _WRITER | {Right.SOURCES, Right.APPROVE, Right.RESULTS}
_PUBLISHER = _EDITOR | {Right.SEND, Right.READERS}
RIGHTS: Mapping[str, frozenset[Right]] = {
    Role.WRITER: _WRITER,
    Role.EDITOR: _EDITOR,
    Role.PUBLISHER: _PUBLISHER,
    Role.ANALYST: frozenset({Right.SEE, Right.RESULTS}),
    Role.ADMINISTRATOR: frozenset(Right),
}

_ALL: frozenset[Right] = frozenset(Right)
_NONE: frozenset[Right] = frozenset()
_KEPT = "_newsdesk_rights"

Rows = TypeVar("Rows", bound="QuerySet[Any]")


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What one person may."""

    #: In every publication, those to come included.
    everywhere: frozenset[Right]
    #: By publication id, beyond the above.
    within: Mapping[int, frozenset[Right]]

    @property
    def anywhere(self) -> frozenset[Right]:
        return self.everywhere.union(*self.within.values())


def rights_of(user: Any) -> Rights:
    """A superuser may everything; who is not active or not logged in, nothing."""
    if not getattr(user, "is_active", False) or not user.is_authenticated:
        return Rights(everywhere=_NONE, within={})
    if user.is_superuser:
        return Rights(everywhere=_ALL, within={})
    kept: Rights | None = getattr(user, _KEPT, None)
    if kept is None:
        kept = _read(user)
        setattr(user, _KEPT, kept)
    return kept


def _read(user: Any) -> Rights:
    held = list(Membership.objects.filter(user=user.pk).values_list("publication_id", "role"))
    return Rights(
        everywhere=_NONE.union(*(RIGHTS[role] for publication_id, role in held if publication_id is None)),
        within={publication_id: RIGHTS[role] for publication_id, role in held if publication_id is not None},
    )


def may(user: Any, right: Right, publication: Publication | int | None) -> bool:
    """Whether the user may do this in this publication (or its id). None: in all of them, and in what belongs to none."""
    rights = rights_of(user)
    if right in rights.everywhere:
        return True
    key = publication.pk if isinstance(publication, Publication) else publication
    return key is not None and right in rights.within.get(key, _NONE)


def may_anywhere(user: Any, right: Right) -> bool:
    """Whether there is any publication the user may do this in: for menus and forms, never for an object."""
    return right in rights_of(user).anywhere


def publication_ids(user: Any, right: Right) -> frozenset[int] | None:
    """The ids of the publications the user may do this in; None = all."""
    rights = rights_of(user)
    if right in rights.everywhere:
        return None
    return frozenset(key for key, held in rights.within.items() if right in held)


def publications(user: Any, right: Right) -> "QuerySet[Publication]":
    """The publications the user may do this in."""
    return within(Publication.objects.all(), user, right, path="pk")


def within(rows: Rows, user: Any, right: Right, *, path: str = "publication_id") -> Rows:
    """Those rows that belong to publications the user may do this in; `path` leads from a row to the publication's id."""
    ids = publication_ids(user, right)
    return rows if ids is None else rows.filter(**{f"{path}__in": ids})


def may_approve(user: Any, publication: Publication | int | None) -> bool:
    return may(user, Right.APPROVE, publication)


def people_who_may(right: Right, publication: Publication | None) -> "QuerySet[Any]":
    """Active people who may do this in the publication; None: in any."""
    held = Membership.objects.filter(user=OuterRef("pk"), role__in=roles_with([right]))
    if publication is not None:
        held = held.filter(Q(publication=None) | Q(publication=publication))
    people = get_user_model()._default_manager.filter(is_active=True)  # noqa: SLF001 - the public way to the model's manager
    return people.filter(Q(is_superuser=True) | Exists(held))


def roles_with(rights: Iterable[Right]) -> list[str]:
    """The roles that give any of these."""
    asked = frozenset(rights)
    return [role for role, held in RIGHTS.items() if held & asked]
