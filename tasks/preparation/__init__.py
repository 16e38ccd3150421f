"""A due send becomes batches: one restartable transaction freezes its audience and starts it."""
