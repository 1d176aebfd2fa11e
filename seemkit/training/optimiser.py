"""AdamW over what a recipe trains: rates by part, and no decay of biases, norms and embeddings."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from seemkit.network.network import Network
from seemkit.training.recipe.sections import OptimiserSection, ScheduleSection

__all__ = ["Average", "build_optimiser", "decays", "rate_at", "set_rate"]

TABLES = ("_embed", ".content", ".position", "pos_embed", "relative_position_bias_table")
"""Ends of the names of tables of embeddings."""


def build_optimiser(
    network: Network, rates: Mapping[str, float], options: OptimiserSection
) -> torch.optim.AdamW:
    """The optimiser; parameters whose rate is 0 are frozen here, all others learn.

    Args:
        network: the network.
        rates: of every parameter, by name.
        options: of the recipe.
    """
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    plain = _embeddings(network)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(rates[name] > 0)
        if rates[name] > 0:
            decayed = name not in plain and decays(name, parameter)
            groups.setdefault((rates[name], decayed), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "share": share, "weight_decay": options.decay if decayed else 0.0}
            for (share, decayed), parameters in groups.items()
        ],
        lr=options.rate,
        betas=options.betas,
    )


def decays(name: str, parameter: Tensor) -> bool:
    """Whether weight decay is right for a parameter: not for biases and norms, which have one axis, nor for tables."""
    return parameter.ndim > 1 and not name.endswith(("bias", *TABLES))


def rate_at(step: int, steps: int, options: ScheduleSection) -> float:
    """Share of the peak rate at a step from 0 on."""
    warm = min((step + 1) / options.warmup, 1.0) if options.warmup else 1.0
    along = step / steps
    if options.kind == "cosine":
        return warm * (options.floor + (1 - options.floor) * 0.5 * (1 + math.cos(math.pi * along)))
    if options.kind == "steps":
        return warm * float(options.factor ** sum(along >= at for at in options.at))
    return warm


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of every group, by its share."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["share"]


class Average:
    """An exponential average of the weights that learn; it starts as they are and forgets that quickly.

    Args:
        network: whose weights.
        decay: how much of the average is kept at a step, at most; 0 follows the weights.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.decay = decay
        self.values = {
            name: parameter.detach().clone()
            for name, parameter in network.named_parameters()
            if parameter.requires_grad
        }

    @torch.no_grad()
    def follow(self, network: Network, step: int) -> None:
        """Take in the weights after a step from 0 on."""
        keep = min(self.decay, (step + 1) / (step + 10))
        for name, parameter in network.named_parameters():
            if name in self.values:
                self.values[name].lerp_(parameter, 1 - keep)

    @torch.no_grad()
    def exchange(self, network: Network) -> None:
        """Give the network the average, and keep the weights that it had; the same again undoes it."""
        for name, parameter in network.named_parameters():
            if name in self.values:
                kept = parameter.detach().clone()
                parameter.copy_(self.values[name])
                self.values[name] = kept


def _embeddings(network: Network) -> set[str]:
    """Names of the weights of embedding layers."""
    return {
        f"{name}.{inner}"
        for name, module in network.named_modules()
        if isinstance(module, nn.Embedding)
        for inner, _ in module.named_parameters(recurse=False)
    }
