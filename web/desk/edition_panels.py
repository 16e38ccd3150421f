"""The panels beside an edition's form that are ours: where it stands, and what is wrong with it."""

from typing import Any

from wagtail.admin.ui.side_panels import BaseSidePanel
from wagtail.log_actions import registry

from composer.checks import Problem
from composer.models import Edition
from tasks.approvals.approving import inspect_and_check
from tasks.approvals.reopened_sends import held_sends
from web.desk.check_places import Place, place_of
from web.desk.remarks import open_remarks
from web.desk.running_order import sizes
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
            "variants": len(report.variants) if (report := parent_context.get("report")) else 0,
            "held": held_sends(edition) if edition.pk else [],
            "revision": revision,
            "remarks": open_remarks(edition),
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
            context["count"] = self.panel.errors
            return context

    name = "checks"
    title = "Checks"
    template_name = "web/desk/checks_panel.html"
    order = 200

    def __init__(self, edition: Edition, request: Any) -> None:
        super().__init__(edition, request)
        self.approved = bool(edition.pk and edition.approval)
        ready = bool(edition.pk and edition.publication_id) and not self.approved
        self.problems: tuple[Problem, ...] = ()
        #: Bytes of the mail and its stories, for the running order.
        self.sizes: dict[str, Any] = {}
        if ready:
            inspection, self.problems = inspect_and_check(edition)
            self.sizes = sizes(inspection)

    @property
    def errors(self) -> int:
        return sum(problem.level == "error" for problem in self.problems)

    @property
    def untouched(self) -> frozenset[str]:
        """The parts of the frame that still are last week's."""
        return frozenset(problem.where for problem in self.problems if problem.code == "frame.carried_over")

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        return {
            **context,
            "edition": self.object,
            "approved": self.approved,
            "errors": self._placed("error"),
            "warnings": self._placed("warning"),
        }

    def _placed(self, level: str) -> list[tuple[Problem, Place]]:
        return [(problem, place_of(problem, self.object)) for problem in self.problems if problem.level == level]
