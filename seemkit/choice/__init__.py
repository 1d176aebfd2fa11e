"""Choosing a component by name and giving it options, everything that is wrong with that said at once."""

from seemkit.choice.choices import Choices, choose, refuse_options
from seemkit.choice.slot import NoOptions, Slot

__all__ = ["Choices", "NoOptions", "Slot", "choose", "refuse_options"]
