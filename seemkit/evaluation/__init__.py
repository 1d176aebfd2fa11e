"""Evaluation through the public API: protocols of the field, figures with their protocol beside them."""
