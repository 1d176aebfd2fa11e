"""Prompts whose learned part has no weights are refused, unless the caller allows them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from seemkit.errors import PromptError

if TYPE_CHECKING:
    from seemkit.prompting.prompt import Prompt

__all__ = ["refuse_untrained"]


def refuse_untrained(
    prompts: Sequence[Prompt], parts: Mapping[type[Prompt], str], untrained: Collection[str]
) -> None:
    """Raise :class:`PromptError` at the first prompt that would be answered by random weights.

    Args:
        prompts: what is asked.
        parts: name of the learned part of each prompt type that has one.
        untrained: names of the parts that a weights file had nothing for.
    """
    for index, prompt in enumerate(prompts):
        name = parts.get(type(prompt))
        if name is not None and name in untrained:
            raise PromptError(
                f"prompts[{index}] is a {prompt.type_name()}, whose plugin {name.replace('.', '/')!r} is "
                "untrained, for the weights file has nothing for it; train it, or load the model with "
                "allow_untrained=True",
                path=f"prompts[{index}]",
            )
