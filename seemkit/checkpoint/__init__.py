"""Weights: names of the published files, conversion, and our own files."""
