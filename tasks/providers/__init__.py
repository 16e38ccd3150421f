"""Ways out: one folder for each provider, found by its name (docs/how-to/add-a-provider.md)."""
