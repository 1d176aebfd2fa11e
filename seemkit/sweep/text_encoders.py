"""Tries one model as a text encoder: on the meta device, and small ones with numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from seemkit.errors import SeemkitError
from seemkit.sweep.composed import (
    LARGEST,
    build,
    count_parameters,
    declare,
    exchange,
    refusal,
    tell_not_ran,
    watch,
)
from seemkit.sweep.trial import TextTrial
from seemkit_registry import RegistryError

if TYPE_CHECKING:
    from seemkit.network.network import Network

__all__ = ["TEXTS", "try_text_encoder"]

TEXTS = ("a dog", "the second largest of three dogs, asleep on a red sofa", "")
"""What is encoded: a name, a sentence and nothing."""


def try_text_encoder(
    model: str, *, component: str = "open_clip", largest: int = LARGEST
) -> Iterator[TextTrial]:
    """Compose a model and encode texts; each trial that is yielded says more than the one before.

    Tokens and embeddings are held against the declared width, and tokens become rows of the decoder.

    Args:
        model: its name.
        component: the text encoder that wraps it.
        largest: models of more parameters run on the meta device only.
    """
    failed = partial(TextTrial, model=model, state="failed")
    yield from watch(partial(_steps, model, component, largest), lambda reason: failed(reason=reason))


def _steps(model: str, component: str, largest: int) -> Iterator[TextTrial]:
    try:
        assembly = exchange("text_encoder", component, model)
        declare(assembly, "text_encoder")
    except (SeemkitError, RegistryError) as error:
        yield TextTrial(model=model, state="refused", reason=refusal(error))
        return
    network = build(assembly, "meta")
    parameters = count_parameters(network.text_encoder)
    _encode(network)
    composed = TextTrial(model=model, state="composes", parameters=parameters, width=network.dims.text)
    if parameters > largest:
        yield composed.model_copy(update={"not_ran": tell_not_ran(parameters, largest)})
        return
    yield composed
    del network
    _encode(build(assembly, "cpu"))
    yield composed.model_copy(update={"ran": True})


def _encode(network: Network) -> None:
    """Encode the texts and make rows of them.

    Raises:
        SeemkitError: a phrase is not as declared, or not finite.
    """
    import torch

    with torch.no_grad():
        for phrase in network.encode_texts(TEXTS):
            rows = network.phrase_rows(phrase.tokens)
            if tuple(rows.shape) != (len(phrase.tokens), network.dims.channels):
                raise SeemkitError(f"phrases became rows {tuple(rows.shape)}")
            if not rows.is_meta and not bool(rows.isfinite().all()):
                raise SeemkitError("the rows of a phrase hold numbers that are not finite")
