"""A send from its schedule to its end: control (pause, resume, cancel, undo), counts, reports, audit trail."""
