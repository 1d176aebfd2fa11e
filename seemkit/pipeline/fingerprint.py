"""What tells weights and pixels apart: hashes of their content, and a quick sign that weights have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from seemkit.pipeline.caches import Cache

if TYPE_CHECKING:
    from seemkit.network.network import Network
    from seemkit.pipeline.model import Model

__all__ = [
    "describe_model",
    "hash_pixels",
    "hash_rows",
    "hash_tensors",
    "hash_weights",
    "weights_version",
]


def weights_version(module: nn.Module) -> tuple[int, int]:
    """Changes whenever a parameter or buffer is assigned or changed in place; cheap enough for every call."""
    found: list[torch.Tensor | None] = []
    waiting = [module]
    for each in waiting:  # as `parameters()` and `buffers()` go, in a fifth of the time
        if parameters := each._parameters:  # most modules have none, and no buffers
            found += parameters.values()
        if buffers := each._buffers:
            found += buffers.values()
        if inner := each._modules:
            waiting += [one for one in inner.values() if one is not None]
    tensors = [tensor for tensor in found if tensor is not None]
    return hash(tuple([x.data_ptr() for x in tensors])), sum([x._version for x in tensors])


def describe_model(model: Model) -> str:
    """Everything beside the weights that decides what a model answers, as a text.

    That is preprocessing, answer policy, precision and the options of all components: the preset and the legacy
    options of a decoder change answers and leave no trace in the weights.
    """
    parts = [
        model.preprocess.fingerprint(),
        type(model.policy).__qualname__,
        _decoder_options(model.network),
        model.runtime.precision,
    ]
    if model.assembly is not None:
        parts += [model.assembly.answer_policy.model_dump_json(), model.assembly.fingerprint()]
    return "\n".join(parts)


def hash_pixels(pixels: NDArray[np.uint8]) -> str:
    """SHA-256 of an image's shape and content."""
    return hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()


def hash_weights(parts: Sequence[nn.Module], about: str) -> str:
    """SHA-256 of the names and values of all parameters and buffers, after a text that belongs to them."""
    digest = hashlib.sha256(about.encode())
    for part in parts:
        for name, tensor in part.state_dict().items():
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(tensor.detach().cpu().float().numpy()).tobytes())
    return digest.hexdigest()


def hash_rows(network: Network, encoder: str, kept: Cache[str]) -> str:
    """SHA-256 of what makes the rows of regions and what reads them.

    Args:
        network: with the weights.
        encoder: hash of the image encoder and the preprocessing.
        kept: hashes of weights that have not changed since.
    """
    parts = (network.prompts.region, network.decoder, network.heads)
    about = encoder + _decoder_options(network)
    key = ("rows", about, *(weights_version(part) for part in parts))
    return kept.get(key, lambda: hash_weights(parts, about))


def _decoder_options(network: Network) -> str:
    """The preset and whatever else is not at its default, of a decoder that has options."""
    options = getattr(network.decoder, "options", None)
    return "" if options is None else str(options.model_dump_json(exclude_defaults=True))


def hash_tensors(module: nn.Module) -> str:
    """SHA-256 of all parameters and buffers, those too that come with a package and are in no state dict."""
    digest = hashlib.sha256()
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name}{values.dtype}{tuple(values.shape)}".encode())
        digest.update(values.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
