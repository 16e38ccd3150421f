"""An example of a provider: it keeps what it is given in memory, and posts events of its own kind."""
