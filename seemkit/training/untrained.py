"""What a run has no weights to start from: parts it trains are named, an encoder that would stay random is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from seemkit.errors import SeemkitError, WeightsError

if TYPE_CHECKING:
    from seemkit.training.recipe import Recipe
    from seemkit.training.start import Start

__all__ = ["check_start", "left_untrained", "started_untrained"]

ENCODER = "image_encoder"


def check_start(start: Start, recipe: Recipe, rates: Mapping[str, float], *, adapt: bool) -> None:
    """Refuse a start that the rest of the run could not learn from.

    Args:
        start: the network.
        recipe: what it is trained by.
        rates: of every parameter, by name.
        adapt: whether only what a swapped backbone leaves untrained is trained.

    Raises:
        SeemkitError: nothing was swapped that could be adapted to.
        WeightsError: the image encoder has no weights and is not trained, though the rest starts from given ones.
    """
    given = recipe.model.weights
    weights = f"the weights of {start.assembly.name!r}" if given == "default" else f"the weights {given!r}"
    if adapt and not start.swapped:
        why = "model.weights is 'none'" if given == "none" else f"{weights} leave none of that untrained"
        raise SeemkitError(
            f"--adapt trains what a swapped backbone leaves untrained of trained weights, and {why}; leave --adapt out "
            "to fine-tune, swap with model.overrides.backbone.model, or name the recipe 'adapt' to train it all the "
            "same",
            path="adapt",
        )
    if ENCODER in start.network.untrained and not any(
        rate for name, rate in rates.items() if name.startswith(f"{ENCODER}.")
    ):
        backbone = start.assembly.backbone
        model = getattr(backbone.settings, "model", backbone.use)
        others = (
            "" if adapt else ", start from the model that the weights are of, or train it by optimiser.rates"
        )
        raise WeightsError(
            f"{weights} have nothing for the image encoder {model!r}, which is not trained and would stay random; give "
            f"it weights by model.encoder ('packaged', or a file; see docs/training.md){others}",
            path="model.encoder",
        )


def started_untrained(start: Start, recipe: Recipe, rates: Mapping[str, float]) -> tuple[str, ...]:
    """Parts that are trained and had no weights to start from, such as `pixel_decoder.lateral`."""
    if recipe.model.weights != "none":
        names = [name for name, _ in _untrained(start) if rates[name] > 0]
        return tuple(dict.fromkeys(_short(name) for name in names))
    brought = ENCODER if start.brought else None
    tops = dict.fromkeys(name.partition(".")[0] for name, rate in rates.items() if rate > 0)
    return tuple(top for top in tops if top != brought)


def left_untrained(
    start: Start, rates: Mapping[str, float], idle: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Parameters that a run ends with as random as they were.

    Args:
        start: what it started from.
        rates: of every parameter, by name.
        idle: parameters that were to be trained, and that no step moved.

    Returns:
        Names of parameters of the network itself that were frozen; and beginnings of those of prompt plugins whose
        learned part never moved.
    """
    frozen: list[str] = []
    parts: dict[str, bool] = {}
    for name, part in _untrained(start):
        if name.startswith(f"prompts.{part}."):
            parts[part] = parts.get(part, False) or (rates[name] > 0 and name not in idle)
        elif not rates[name]:
            frozen.append(name)
    return tuple(frozen), tuple(f"prompts.{part}." for part, moved in parts.items() if not moved)


def _untrained(start: Start) -> Iterator[tuple[str, str]]:
    """Parameters without weights to start from, and the entry of `network.untrained` that each belongs to."""
    for name, _ in start.network.named_parameters():
        for part in start.network.untrained:
            if name.startswith((f"{part}.", f"prompts.{part}.")) or name == part:
                yield name, part
                break


def _short(name: str) -> str:
    first, second, *rest = name.split(".")
    if first in (ENCODER, "text_encoder"):
        return first
    return ".".join((second, rest[0])) if first == "prompts" and len(rest) > 1 else f"{first}.{second}"
