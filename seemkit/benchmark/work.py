"""Counting of per-image work: encoder runs, scenes that were prepared, mask features that were made whole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn

from seemkit.pipeline.model import Model

__all__ = ["Work", "watch_work"]


@dataclass
class Work:
    """What was done while one watched.

    Attributes:
        encoder_runs: of the backbone.
        pixel_decoder_runs: of the pixel decoder.
        scenes_prepared: keys, values and small mask features were computed.
        texts_encoded: calls of the text encoder.
        decoder_runs: of the mask decoder.
    """

    encoder_runs: int = 0
    pixel_decoder_runs: int = 0
    scenes_prepared: int = 0
    texts_encoded: int = 0
    decoder_runs: int = 0

    def counts(self) -> dict[str, int]:
        """By name, in words."""
        return {name.replace("_", " "): value for name, value in vars(self).items()}


@contextmanager
def watch_work(model: Model) -> Iterator[Work]:
    """Count what a model does within the block."""
    work, network = Work(), model.network
    watched: list[tuple[nn.Module, str, str]] = [
        (network.image_encoder, "forward", "encoder_runs"),
        (network.pixel_decoder, "forward", "pixel_decoder_runs"),
        (network.decoder, "prepare", "scenes_prepared"),
        (network.text_encoder, "encode", "texts_encoded"),
        (network.decoder, "forward", "decoder_runs"),
    ]
    if hasattr(network.text_encoder, "embed"):
        watched.append((network.text_encoder, "embed", "texts_encoded"))

    def counting(method: Callable[..., Any], field: str) -> Callable[..., Any]:
        def counted(*args: Any, **more: Any) -> Any:
            setattr(work, field, getattr(work, field) + 1)
            return method(*args, **more)

        return counted

    before = [module.__dict__.get(method) for module, method, _ in watched]
    for module, method, field in watched:
        module.__dict__[method] = counting(getattr(module, method), field)  # hides that of the class
    try:
        yield work
    finally:
        for (module, method, _), own in zip(watched, before, strict=True):
            del module.__dict__[method]
            if own is not None:
                module.__dict__[method] = own
