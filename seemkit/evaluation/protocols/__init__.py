"""Protocols of simulated clicks: who clicks where next, and when the conversation ends."""
