"""Concepts: regions of some images, kept in a small file, to look for what is like them in others."""
