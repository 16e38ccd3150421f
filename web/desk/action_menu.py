"""The buttons under an edition: save, approve, schedule; once it is approved, schedule again and reopen."""

from typing import Any

from django.urls import reverse
from wagtail import hooks
from wagtail.snippets.action_menu import ActionMenuItem, SaveMenuItem

from composer.models import Edition
from composer.permissions import Right, may
from tasks.approvals.reopened_sends import held_sends
from web.desk.reviews import may_ask


def _may(context: dict[str, Any], right: Right) -> bool:
    return may(context["request"].user, right, context["instance"].publication_id)


def _is_approved(context: dict[str, Any]) -> bool:
    return context["view"] == "edit" and context["instance"].approval is not None


class SaveEdition(SaveMenuItem):
    template_name = "web/desk/save.html"


class ApproveEdition(ActionMenuItem):
    name = "action-approve"
    label = "Approve"
    icon_name = "check"
    #: While the browser waits.
    busy_label = "Approving…"
    right = Right.APPROVE
    template_name = "web/desk/submit.html"

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        return {**super().get_context_data(parent_context), "busy_label": self.busy_label}

    def is_shown(self, context: dict[str, Any]) -> bool:
        drafted = context["view"] == "edit" and not context.get("locked_for_user")
        return drafted and _may(context, self.right)


class ScheduleEdition(ApproveEdition):
    """Save, and go on to whom and when; approving comes with the confirmation there."""

    name = "action-schedule"
    label = "Approve and schedule"
    icon_name = "mail"
    busy_label = "Saving…"
    right = Right.SEND


class AskForApproval(ApproveEdition):
    """Save, and tell whoever may approve; for those who may not."""

    name = "action-ask"
    label = "Ask for approval"
    busy_label = "Saving…"

    def is_shown(self, context: dict[str, Any]) -> bool:
        drafted = context["view"] == "edit" and not context.get("locked_for_user")
        return drafted and may_ask(context["request"].user, context["instance"])


class SendBack(ActionMenuItem):
    """Whoever may approve says no, and why; it is offered for what somebody else wrote."""

    name = "action-send-back"
    label = "Send back"
    icon_name = "undo"
    template_name = "web/desk/link.html"

    def is_shown(self, context: dict[str, Any]) -> bool:
        if not ApproveEdition().is_shown(context):
            return False
        last = context["instance"].latest_revision
        return bool(last and last.user_id not in {None, context["request"].user.pk})

    def get_url(self, parent_context: dict[str, Any]) -> str:
        return reverse("wagtailsnippets_composer_edition:send_back", args=[parent_context["instance"].pk])


class ScheduleApproved(ActionMenuItem):
    name = "action-schedule-approved"
    label = "Schedule"
    icon_name = "mail"
    template_name = "web/desk/link.html"

    def is_shown(self, context: dict[str, Any]) -> bool:
        return _is_approved(context) and _may(context, Right.SEND) and not held_sends(context["instance"])

    def get_url(self, parent_context: dict[str, Any]) -> str:
        return reverse("wagtailsnippets_composer_edition:schedule", args=[parent_context["instance"].pk])


class ReopenEdition(ActionMenuItem):
    name = "action-reopen"
    label = "Reopen"
    icon_name = "lock-open"
    template_name = "web/desk/reopen.html"

    def is_shown(self, context: dict[str, Any]) -> bool:
        return _is_approved(context) and _may(context, Right.APPROVE)


@hooks.register("construct_snippet_action_menu")
def only_our_actions(menu_items: list[Any], _request: Any, context: dict[str, Any]) -> None:
    if not issubclass(context["model"], Edition):
        return
    locked = context.get("locked_for_user")
    offered = (ScheduleEdition(), ApproveEdition(), AskForApproval(), SendBack(), ScheduleApproved(), ReopenEdition())
    ours = [item for item in offered if item.is_shown(context)]
    menu_items[:] = ours if locked else [SaveEdition(), *ours]
