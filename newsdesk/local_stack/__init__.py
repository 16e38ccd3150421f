"""Everything on one machine as one supervised group of processes: what `newsdesk up` and `newsdesk demo` run."""
