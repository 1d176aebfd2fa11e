"""Checkpoints of a run: whole or not there at all, and refused where they are of another run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seemkit.errors import SeemkitError
from seemkit.network.network import Network
from seemkit.results.atomic import replacing
from seemkit.training.optimiser import Average
from seemkit.training.recipe.recipe import Recipe, differences

__all__ = ["Checkpoint", "read_checkpoint", "save_checkpoint"]

FORMAT = "seemkit-training-1"
FILE = "checkpoint.pt"
WAY = "give another folder with -o, or --restart to begin anew in this one"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Where a run was.

    Attributes:
        step: how many steps were made.
        network: state of the network.
        optimiser: state of the optimiser.
        average: of the weights.
        measured: figures on what is held out, before the first step.
    """

    step: int
    network: Mapping[str, Tensor]
    optimiser: Mapping[str, Any]
    average: Mapping[str, Tensor]
    measured: Mapping[str, float]

    def restore(self, network: Network, optimiser: torch.optim.Optimizer, average: Average) -> None:
        """Put everything back where it was.

        Raises:
            SeemkitError: the network has other weights, as with another assembly or another plugin.
        """
        _check_network(self.network, network.state_dict())
        network.load_state_dict(self.network)
        optimiser.load_state_dict(dict(self.optimiser))
        device = network.device
        average.values = {name: x.to(device) for name, x in self.average.items()}


def save_checkpoint(
    folder: Path,
    step: int,
    network: Network,
    optimiser: torch.optim.Optimizer,
    average: Average,
    recipe: Recipe,
    listing: Sequence[str],
    prompts: Sequence[str],
    measured: Mapping[str, float],
) -> Path:
    """Write the checkpoint of a folder; what was there stays until the new one is whole and on the disk."""
    state = {
        "format": FORMAT,
        "step": step,
        "recipe": json.dumps(recipe.as_dict()),
        "listing": list(listing),
        "prompts": list(prompts),
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": dict(average.values),
        "measured": dict(measured),
    }
    path = folder / FILE
    with replacing(path) as file:
        torch.save(state, file)
    return path


def read_checkpoint(
    folder: Path, recipe: Recipe, listing: Sequence[str], prompts: Sequence[str]
) -> Checkpoint | None:
    """The checkpoint of a folder; None if there is none.

    Args:
        folder: of the run.
        recipe: that is gone on with.
        listing: a hash of the pictures of each of its sources (:attr:`Feed.listing`).
        prompts: types of prompts that are drawn (:attr:`Asker.drawn`).

    Raises:
        SeemkitError: it cannot be read, or is of a run that is not the recipe's, of other pictures or other prompts.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise ValueError(f"it is not of the form {FORMAT!r}")
        known = json.loads(state["recipe"])
        listed, drew = state.get("listing"), state.get("prompts")  # older ones have neither
        found = Checkpoint(
            int(state["step"]), state["network"], state["optimiser"], state["average"], state["measured"]
        )
    except PermissionError as error:
        raise SeemkitError(
            f"{str(path)!r} cannot be read: {error.strerror or type(error).__name__}", path=str(path)
        ) from error
    except Exception as error:  # a file that is cut off fails in a dozen ways, each told in several sentences
        raise SeemkitError(
            f"{str(path)!r} is damaged, or no checkpoint of seemkit: it cannot be read; {WAY}", path=str(path)
        ) from error
    differ = differences(known, recipe.as_dict())
    if differ:
        more = (
            f" and {len(differ) - 3} more differ" if len(differ) > 3 else f" differ{'s' * (len(differ) == 1)}"
        )
        raise SeemkitError(
            f"{str(path)!r} is of another run: {', '.join(differ[:3])}{more}; {WAY}", path=differ[0]
        )
    for place, (then, now) in enumerate(zip(listed or listing, listing, strict=True)):
        if then != now:
            where = f"data.sources[{place}]"
            raise SeemkitError(
                f"{str(path)!r} is of another run: the pictures of {where} are not those that it began with, by "
                f"which their order is drawn; bring those back, or {WAY}",
                path=where,
            )
    if drew is not None:
        _check_prompts(path, drew, prompts)
    return found


def _check_prompts(path: Path, then: Sequence[str], now: Sequence[str]) -> None:
    """Raise :class:`SeemkitError` where other types of prompts are drawn now."""
    for name in then:
        if name not in now:
            raise SeemkitError(
                f"{str(path)!r} is of another run: it drew prompts of type {name!r}, which is not installed (or loaded "
                f"by --plugin) now; bring it back, or {WAY}",
                path="objective.prompts",
            )
    for name in now:
        if name not in then:
            raise SeemkitError(
                f"{str(path)!r} is of another run: it did not draw prompts of type {name!r}, which is installed (or "
                f"loaded by --plugin) now; take it away, or {WAY}",
                path="objective.prompts",
            )


def _check_network(then: Mapping[str, Tensor], now: Mapping[str, Tensor]) -> None:
    """Raise :class:`SeemkitError` where a network has not the weights that it had."""
    for name in dict.fromkeys((*then, *now)):
        said = None
        if name not in now:
            said = f"it had {name!r}, which there is not now"
        elif name not in then:
            said = f"it had no {name!r}, which there is now"
        elif then[name].shape != now[name].shape:
            said = f"its {name!r} was {tuple(then[name].shape)} and is {tuple(now[name].shape)} now"
        if said is not None:
            raise SeemkitError(
                f"the checkpoint is of another network: {said}; bring back the assembly and the plugins that the run "
                f"began with, or {WAY}",
                path="model.assembly",
            )
