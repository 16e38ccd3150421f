"""The panels beside an edition's form that are ours: where it stands, and what is wrong with it."""

from typing import Any

from wagtail.admin.ui.side_panels import BaseSidePanel
from wagtail.log_actions import registry

from composer.checks import Problem
from composer.models import Edition
from tasks.approvals.approving import check_edition
from tasks.approvals.reopened_sends import held_sends
from web.desk.status import status_of


class EditionStatusPanel(BaseSidePanel):
    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = "Toggle status"
        icon_name = "info-circle"
        has_counter = False

    name = "status"
    title = "Status"
    template_name = "web/desk/status_panel.html"
    order = 100

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        edition: Edition = self.object
        revision = edition.latest_revision
        return {
            **context,
            "edition": edition,
            "status": status_of(edition),
            "approval": edition.approval,
            "held": held_sends(edition) if edition.pk else [],
            "revision": revision,
            "last_entry": registry.get_logs_for_instance(edition).first() if edition.pk else None,
            "history_url": parent_context.get("history_url"),
        }


class EditionChecksPanel(BaseSidePanel):
    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = "Toggle checks"
        icon_name = "tasks"
        counter_classname = "w-bg-critical-200"

        def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            context["count"] = sum(problem.level == "error" for problem in self.panel.problems)
            return context

    name = "checks"
    title = "Checks"
    template_name = "web/desk/checks_panel.html"
    order = 200

    def __init__(self, edition: Edition, request: Any) -> None:
        super().__init__(edition, request)
        ready = bool(edition.pk and edition.publication_id) and not edition.approval
        self.problems: tuple[Problem, ...] = check_edition(edition) if ready else ()

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        return {
            **context,
            "edition": self.object,
            "approved": bool(self.object.pk and self.object.approval),
            "errors": [problem for problem in self.problems if problem.level == "error"],
            "warnings": [problem for problem in self.problems if problem.level != "error"],
        }
