"""What of a prompt travels beside its JSON, by hash: arrays of logits, reference images and scenes."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from seemkit.prompting.arrays import array_hash
from seemkit.prompting.pictures import fingerprint_of
from seemkit.prompting.prompt import Prompt

__all__ = ["collect_assets"]


def collect_assets(prompts: Iterable[Prompt]) -> dict[str, object]:
    """``{hash: array or scene}`` of everything that the JSON of these prompts names by hash.

    It is what ``read_prompt(..., assets=...)`` and ``replay(..., assets=...)`` need to bring them back.
    """
    assets: dict[str, object] = {}
    for prompt in prompts:
        for name in type(prompt).model_fields:
            _collect(getattr(prompt, name), assets)
    return assets


def _collect(value: object, assets: dict[str, object]) -> None:
    if isinstance(value, np.ndarray):
        array: NDArray[np.generic] = value
        if not (array.dtype == np.bool_ and array.ndim == 2):  # binary masks travel as run lengths
            assets[array_hash(array)] = array
    elif isinstance(value, Prompt):
        assets.update(collect_assets([value]))
    elif isinstance(value, list | tuple):
        for item in value:
            if not isinstance(item, float | int | str):
                _collect(item, assets)
    elif found := fingerprint_of(value):
        assets[found] = value
