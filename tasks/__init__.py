"""Getting it out: an approved edition to its readers, once, and what comes back.

One room (folder) for each thing that happens; each imports only rooms below it (`docs/architecture.md`).
"""
