"""Measuring: paths that compute the same, side by side in one run, and a page of what came out."""
