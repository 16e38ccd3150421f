"""Django's PostgreSQL, whose answers a thread waits for only as long as it has time."""
