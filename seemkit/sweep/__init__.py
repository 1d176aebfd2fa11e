"""Tries every model that a component wraps, one after another, apart from this process: ``python -m seemkit.sweep``."""
