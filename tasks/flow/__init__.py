"""How fast mail may leave: a rate for each transport, waits the provider asked for, ceilings for young sender domains."""

from tasks.flow.warming import batch_size

__all__ = ["batch_size"]
