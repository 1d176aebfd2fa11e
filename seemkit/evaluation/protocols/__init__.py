"""Protocols of simulated clicks: who clicks where next, and when the conversation ends."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seemkit.evaluation.protocols.clicker import Clicker

__all__ = ["CLICKERS", "clicker_class"]

CLICKERS = {
    "ritm": "ritm:RitmClicker",
    "largest": "ritm:LargestClicker",
    "original": "original:OriginalClicker",
}
"""Where each protocol is."""


def clicker_class(name: str) -> "type[Clicker]":
    """The protocol of a name."""
    module, _, attribute = CLICKERS[name].partition(":")
    found: type[Clicker] = getattr(import_module(f"seemkit.evaluation.protocols.{module}"), attribute)
    return found
