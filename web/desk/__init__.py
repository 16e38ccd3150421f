"""The newsroom: what Wagtail's admin shows of publications, stories and editions."""
