"""A Maildir on this machine instead of a provider."""
