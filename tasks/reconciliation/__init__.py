"""Settling attempts nobody saw the end of: by evidence, by silence that proves something, or by a person."""
