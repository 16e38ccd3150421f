"""What the audit log calls our acts."""

from typing import Any

from wagtail import hooks


@hooks.register("register_log_actions")
def register_log_actions(registry: Any) -> None:
    registry.register_action("newsdesk.approve", "Approve", "Approved the edition")
    registry.register_action("newsdesk.archive", "Archive", "Archived the story")
    registry.register_action("newsdesk.bring_back", "Bring back", "Brought the story back to the inbox")
    registry.register_action("newsdesk.ask", "Ask for approval", "Asked for approval")
    registry.register_action("newsdesk.send_back", "Send back", "Sent the edition back with a note")
    registry.register_action("newsdesk.cancel", "Cancel", "Cancelled a send")
    registry.register_action("newsdesk.pause", "Pause", "Paused a send")
    registry.register_action("newsdesk.resume", "Resume", "Resumed a send")
    registry.register_action("newsdesk.undo", "Undo", "Took a send back before anything of it went out")
    registry.register_action("newsdesk.rest", "Send to the rest", "Sent it to those whom a send had missed")
    registry.register_action("newsdesk.settle", "Settle", "Decided about readers in doubt")
    registry.register_action("newsdesk.release", "Release", "Released a send that was held")
    registry.register_action("newsdesk.sunset", "Sunset", "Agreed to leave out readers who read nothing")
    registry.register_action("newsdesk.database", "Database", "Said what the database is")
    registry.register_action("newsdesk.team", "Team", "Changed a person's account or roles")
    registry.register_action("newsdesk.reopen", "Reopen", "Reopened the edition")
