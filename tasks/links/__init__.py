"""Checking an edition's links as a reader would open them, without being led into our own network."""
