"""Getting it out: Celery, sends, batches, deliveries, transports and events."""
