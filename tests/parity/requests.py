"""Recorded requests as prompts, and what a result has where the record has it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from seemkit import Result
from seemkit.pipeline.model import Model
from seemkit.prompting.prompt import Prompt
from seemkit.prompts import Mask
from tests.parity.recorded import excess

__all__ = ["logits", "masks_of", "prompts_of", "second_round"]


def prompts_of(prompt: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[Prompt]:
    """The masks of a recorded prompt, by the names of the inputs that it takes."""
    positive = [inputs[name] for name in prompt["pos"]]
    names = prompt["neg"] or [None] * len(positive)
    return masks_of(positive, [None if name is None else inputs[name] for name in names])


def masks_of(positive: Sequence[Any], negative: Sequence[Any]) -> list[Prompt]:
    """Objects "1", "2", ... in the order of the record, of masks (H, W) bool; a negative one may be empty or None."""
    prompts: list[Prompt] = []
    for k, (include, exclude) in enumerate(zip(positive, negative, strict=True)):
        prompts.append(Mask(mask=include, object=str(k + 1)))
        if exclude is not None and exclude.any():
            prompts.append(Mask(mask=exclude, object=str(k + 1), include=False))
    return prompts


def logits(result: Result) -> Tensor:
    """(1, N, h, w)."""
    assert result.logits is not None
    return torch.tensor(result.logits)[None]


def second_round(case: Any, name: str, model: Model, ask: Callable[..., Result], inputs: Any) -> float:
    """How far a second round is from the record, as a share of what is tolerated, with the recorded first as memory."""
    previous, key = f"{name}/prev_mask", f"{name}/round2_prev_mask"
    prompts = prompts_of(case.meta[previous]["prompt"], inputs)
    memory = {str(k + 1): mask for k, mask in enumerate(case.tensor(previous)[0])}
    draws = case.draws(f"{name}/round2")
    result = ask(model, prompts, draws, lambda r: excess(case, key, logits(r)), memory=memory)
    return excess(case, key, logits(result))
