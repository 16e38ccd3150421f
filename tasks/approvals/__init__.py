"""Approving and reopening an edition with its segments' rules, and what becomes of sends that are reopened."""
