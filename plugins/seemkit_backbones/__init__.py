"""Backbones that ship with seemkit; each component has a module, found by `seemkit.backbones`."""
