"""Looks for what is wrong with an installation; whatever may crash or hang is looked at in another process."""
