"""Everything on one machine as supervised processes: what `newsdesk up` and `newsdesk demo` run."""
