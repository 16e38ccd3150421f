"""The lock of an approved edition: nobody changes what somebody has said yes to."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils.html import format_html
from django.utils.timezone import localtime
from wagtail.locks import BaseLock

if TYPE_CHECKING:
    from composer.models.approval import Approval
    from composer.models.edition import Edition

Person = AbstractBaseUser | AnonymousUser


class ApprovedLock(BaseLock):
    def __init__(self, edition: "Edition", approval: "Approval") -> None:
        super().__init__(edition)
        self.approval = approval

    def for_user(self, _user: Person) -> bool:
        return True

    def get_message(self, _user: Person) -> str:
        at = localtime(self.approval.approved_at, self.object.publication.zone)
        return format_html(
            "<b>No. {} was approved</b> by {} on {}. Reopen it to change anything.",
            self.object.number,
            self.approval.approver,
            f"{at.day} {at:%B %Y, %H:%M} ({at.tzinfo})",
        )

    def get_locked_by(self, _user: Person) -> str:
        return "Approved"

    def get_description(self, _user: Person) -> str:
        return "The bytes are frozen; reopen the edition to change anything"
