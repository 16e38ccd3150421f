"""Following an edition's links as a reader would, without being led into our own network."""
