"""Everything on one machine as one supervised group: what `newsdesk up` and `newsdesk demo` run."""

from newsdesk.supervisor.group import Group

__all__ = ["Group"]
