"""The learned parts of prompts; one that has no weights is refused, unless the caller allows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from seemkit.errors import PromptError
from seemkit.prompting.prompt import TokenPrompt

if TYPE_CHECKING:
    from torch import nn

    from seemkit.network.network import Network
    from seemkit.prompting.prompt import Prompt

__all__ = ["learned_part", "refuse_untrained"]


def learned_part(network: Network, parts: Mapping[type[Prompt], str], kind: type[Prompt]) -> nn.Module | None:
    """The learned part of a prompt type, if it has one.

    Args:
        network: of the model.
        parts: name of the learned part of each prompt type that has one.
        kind: the prompt type.

    Raises:
        PromptError: it has one, and the model was loaded before the type was there.
    """
    name = parts.get(kind)
    if name is not None:
        return network.prompts.get_submodule(name)
    if issubclass(kind, TokenPrompt) and kind.build(network.dims) is not None:
        raise PromptError(
            f"the prompt type {kind.type_name()!r} has a learned part that the model was not loaded "
            "with; load the model again"
        )
    return None


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
                "untrained, for the weights file has nothing for it; train it, or in Python load the model with "
                "allow_untrained=True",
                path=f"prompts[{index}]",
            )
