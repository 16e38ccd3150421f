"""How fast mail may leave: rate limit, waits a provider asked for, breaker, warm-up of young sender domains."""
