"""The buttons under an edition: save, approve, and reopen once it is approved."""

from typing import Any

from django.urls import reverse
from wagtail import hooks
from wagtail.snippets.action_menu import ActionMenuItem, SaveMenuItem

from composer.models import Edition
from web.desk.acts import may_approve


class SaveEdition(SaveMenuItem):
    template_name = "web/desk/save.html"


class ApproveEdition(ActionMenuItem):
    name = "action-approve"
    label = "Approve"
    icon_name = "check"
    template_name = "web/desk/approve.html"

    def is_shown(self, context: dict[str, Any]) -> bool:
        drafted = context["view"] == "edit" and not context.get("locked_for_user")
        return drafted and may_approve(context["request"].user)


class ReopenEdition(ActionMenuItem):
    name = "action-reopen"
    label = "Reopen"
    icon_name = "lock-open"
    template_name = "web/desk/reopen.html"

    def is_shown(self, context: dict[str, Any]) -> bool:
        approved = context["view"] == "edit" and context["instance"].approval is not None
        return approved and may_approve(context["request"].user)

    def get_url(self, parent_context: dict[str, Any]) -> str:
        return reverse("wagtailsnippets_composer_edition:reopen", args=[parent_context["instance"].pk])


@hooks.register("construct_snippet_action_menu")
def only_our_actions(menu_items: list[Any], _request: Any, context: dict[str, Any]) -> None:
    if not issubclass(context["model"], Edition):
        return
    locked = context.get("locked_for_user")
    ours = [item for item in (ApproveEdition(), ReopenEdition()) if item.is_shown(context)]
    menu_items[:] = ours if locked else [SaveEdition(), *ours]
