"""How Wagtail asks: its permission policies and Django's permission names, answered from the roles alone.

Wagtail's views, choosers, bulk actions and editing sessions ask a model's policy; its menus and templates ask `user.has_perm`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db.models import Model, QuerySet
from wagtail.models import Collection
from wagtail.permission_policies.base import BasePermissionPolicy
from wagtail.permission_policies.collections import CollectionOwnershipPermissionPolicy

from composer.permissions import Right, Rights, may, may_anywhere, people_who_may, publication_ids, rights_of, within

#: Of each model, by Wagtail's name for the act. What is not named only a superuser may: editions are never published.
STORY = {"view": Right.SEE, "add": Right.WRITE, "change": Right.WRITE, "delete": Right.WRITE}
EDITION = {
    "view": Right.SEE,
    "add": Right.EDIT,
    "change": Right.EDIT,
    "delete": Right.EDIT,
    "lock": Right.EDIT,
    "unlock": Right.APPROVE,
}
SOURCE = dict.fromkeys(("view", "add", "change", "delete"), Right.SOURCES)
PUBLICATION = dict.fromkeys(("view", "change"), Right.PUBLICATION)
#: Publications are made and deleted by those who manage all of them.
PUBLICATION_EVERYWHERE = dict.fromkeys(("add", "delete"), Right.PUBLICATION)

_BY_MODEL = {"story": STORY, "edition": EDITION, "source": SOURCE, "publication": PUBLICATION}
_NAMES: Mapping[str, Right] = {
    f"composer.{act}_{model}": right for model, acts in _BY_MODEL.items() for act, right in acts.items()
}
_NAMES_EVERYWHERE = {f"composer.{act}_publication": right for act, right in PUBLICATION_EVERYWHERE.items()}
#: Whoever has any role may enter the desk.
_ACCESS = "wagtailadmin.access_admin"


class RoleBackend(ModelBackend):
    """What a person may comes from their roles, never from groups or single permissions."""

    def get_user_permissions(self, *_about: Any) -> set[str]:
        return set()

    def get_group_permissions(self, *_about: Any) -> set[str]:
        return set()

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Django's names of what the user may in any publication."""
        return names_of(rights_of(user_obj)) if obj is None else set()


def names_of(rights: Rights) -> set[str]:
    """What Django calls these rights."""
    anywhere = rights.anywhere
    names = {name for name, right in _NAMES.items() if right in anywhere}
    names |= {name for name, right in _NAMES_EVERYWHERE.items() if right in rights.everywhere}
    return names | {_ACCESS} if anywhere else names


class PublicationPolicy(BasePermissionPolicy):
    """Of a model whose rows belong to a publication. `path` leads from a row to the publication's id."""

    def __init__(
        self,
        model: type[Model],
        rights: Mapping[str, Right],
        *,
        everywhere: Mapping[str, Right] | None = None,
        path: str = "publication_id",
    ) -> None:
        super().__init__(model)
        self.rights, self.everywhere, self.path = rights, everywhere or {}, path

    def user_has_permission(self, user: Any, action: str) -> bool:
        """Whether there is any publication the user may do this in."""
        if action in self.everywhere:
            return may(user, self.everywhere[action], None)
        return may_anywhere(user, self.rights[action]) if action in self.rights else _is_superuser(user)

    def user_may_in(self, user: Any, action: str, publication: int | None) -> bool:
        """Whether the user may do this in that publication."""
        if action in self.everywhere:
            return may(user, self.everywhere[action], None)
        return may(user, self.rights[action], publication) if action in self.rights else _is_superuser(user)

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Any) -> bool:
        return self.user_may_in(user, action, getattr(instance, self.path))

    def instances_user_has_any_permission_for(self, user: Any, actions: Iterable[str]) -> "QuerySet[Any]":
        rows: QuerySet[Any] = self.model._default_manager.all()  # noqa: SLF001 - the public way to a model's manager
        ids: set[int] = set()
        for action in actions:
            if action in self.everywhere and self.user_has_permission(user, action):
                return rows
            if action in self.rights:
                found = publication_ids(user, self.rights[action])
                if found is None:
                    return rows
                ids |= found
        return rows if _is_superuser(user) else rows.filter(**{f"{self.path}__in": ids})

    def visible(self, rows: "QuerySet[Any]", user: Any) -> "QuerySet[Any]":
        """Those of the rows that the user may see."""
        return within(rows, user, self.rights["view"], path=self.path)

    def users_with_any_permission(self, actions: Iterable[str]) -> "QuerySet[Any]":
        people = get_user_model()._default_manager.none()  # noqa: SLF001 - the public way to the model's manager
        for action in actions:
            if action in self.rights:
                people |= people_who_may(self.rights[action], None)
        return people

    def within(self, publication: int | None) -> "BoundPolicy":
        """The same, asked about one publication only."""
        return BoundPolicy(self, publication)


class BoundPolicy(BasePermissionPolicy):
    """What a view of one object asks: every answer is about that object's publication."""

    def __init__(self, policy: PublicationPolicy, publication: int | None) -> None:
        super().__init__(policy.model)
        self._policy, self._publication = policy, publication

    def user_has_permission(self, user: Any, action: str) -> bool:
        return self._policy.user_may_in(user, action, self._publication)

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Any) -> bool:
        return self._policy.user_has_permission_for_instance(user, action, instance)


class ImagePolicy(CollectionOwnershipPermissionPolicy):
    """Images are one library for all publications.

    Whoever writes stories anywhere chooses from it, adds to it and changes what they added themselves. What others added
    is changed by those who write for all publications.
    """

    def _check_perm(self, user: Any, actions: Iterable[str], **_where: Any) -> bool:
        asked = set(actions)
        if asked & {"add", "choose"} and may_anywhere(user, Right.WRITE):
            return True
        return "change" in asked and may(user, Right.WRITE, None)

    def _collections_with_perm(self, user: Any, actions: Iterable[str]) -> "QuerySet[Collection]":
        collections: QuerySet[Collection] = Collection.objects.all()
        return collections if self._check_perm(user, actions) else collections.none()


def _is_superuser(user: Any) -> bool:
    return bool(user.is_active and user.is_superuser)
