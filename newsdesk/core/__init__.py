"""What every package stands on: environment, home, paths, errors, logging, Redis, locks and processes."""
