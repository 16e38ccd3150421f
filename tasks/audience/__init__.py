"""Whom a send is for: segment rules, frequency cap, readers' local time, and freezing all of it into batches."""
