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
        """Put everything back where it was."""
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
    measured: Mapping[str, float],
) -> Path:
    """Write the checkpoint of a folder; what was there stays until the new one is whole and on the disk."""
    state = {
        "format": FORMAT,
        "step": step,
        "recipe": json.dumps(recipe.as_dict()),
        "listing": list(listing),
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": dict(average.values),
        "measured": dict(measured),
    }
    path = folder / FILE
    with replacing(path) as file:
        torch.save(state, file)
    return path


def read_checkpoint(folder: Path, recipe: Recipe, listing: Sequence[str]) -> Checkpoint | None:
    """The checkpoint of a folder; None if there is none.

    Args:
        folder: of the run.
        recipe: that is gone on with.
        listing: a hash of the pictures of each of its sources (:attr:`Feed.listing`).

    Raises:
        SeemkitError: it cannot be read, or is of a run that is not the recipe's, or of other pictures.
    """
    path = folder / FILE
    if not path.exists():
        return None
    way = "give another folder with -o, or --restart to begin anew in this one"
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise ValueError(f"it is not of the form {FORMAT!r}")
        known, listed = json.loads(state["recipe"]), state.get("listing")  # older ones have no listing
        found = Checkpoint(
            int(state["step"]), state["network"], state["optimiser"], state["average"], state["measured"]
        )
    except Exception as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SeemkitError(
            f"the checkpoint {str(path)!r} cannot be read ({said}); {way}", path=str(path)
        ) from error
    differ = differences(known, recipe.as_dict())
    if differ:
        more = (
            f" and {len(differ) - 3} more differ" if len(differ) > 3 else f" differ{'s' * (len(differ) == 1)}"
        )
        raise SeemkitError(
            f"{str(path)!r} is of another run: {', '.join(differ[:3])}{more}; {way}", path=differ[0]
        )
    for place, (then, now) in enumerate(zip(listed or listing, listing, strict=True)):
        if then != now:
            where = f"data.sources[{place}]"
            raise SeemkitError(
                f"{str(path)!r} is of another run: the pictures of {where} are not those that it began with, by "
                f"which their order is drawn; bring those back, or {way}",
                path=where,
            )
    return found
