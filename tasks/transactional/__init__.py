"""Single mails outside any send, tests and alarms: each goes out at most once, and before all batches."""
