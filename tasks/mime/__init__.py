"""Whole messages, encoded once and joined with each reader's values: for providers that take MIME."""
