"""Every night the provider's suppression lists are compared with ours, which heals a lost webhook."""
