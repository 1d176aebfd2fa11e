"""What a run leaves: its averaged weights, and an assembly that is loaded with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from seemkit.assembly.document import write_text
from seemkit.network.network import Network
from seemkit.results.atomic import replacing
from seemkit.training.recipe.recipe import Recipe
from seemkit.training.sources import OpenSource
from seemkit.training.start import WEIGHTS, Start
from seemkit.weights import save_weights

__all__ = ["write_model"]

ASSEMBLY = "assembly.yaml"


def write_model(
    folder: Path,
    network: Network,
    start: Start,
    recipe: Recipe,
    sources: Sequence[OpenSource],
    frozen: tuple[str, ...] = (),
    plugins: tuple[str, ...] = (),
) -> Path:
    """Write `weights.safetensors` and `assembly.yaml` into a folder; gives the path of the assembly.

    Args:
        folder: of the run.
        network: with the weights that are kept.
        start: what it started from.
        recipe: what it was trained by.
        sources: what it was trained on.
        frozen: parameters that are as random as they were; the file leaves them out, and says that they are untrained.
        plugins: beginnings of those of prompt plugins that are; the file has nothing of them.
    """
    terms = _terms(start, sources)
    about: dict[str, Any] = {
        "assembly": start.assembly.name,
        "recipe": f"seemkit train {recipe.name}",
        "license": terms,
        "trained on": [source.name for source in sources],
    }
    if frozen or plugins:
        about |= {
            "untrained": list(frozen),
            "leave_out": [],
        }  # what the file leaves out is nowhere else either
    eight_bit = ("image_encoder.",) if recipe.model.eight_bit else ()
    half, left = recipe.model.half, (*frozen, *plugins)
    save_weights(network, folder / WEIGHTS, about, half=half, eight_bit=eight_bit, leave_out=left)
    data: dict[str, JsonValue] = start.assembly.as_dict()
    data["name"] = recipe.name
    data["summary"] = f"{start.assembly.name} trained by the recipe {recipe.name}"
    data["weights"] = {"file": WEIGHTS, "license": terms}
    names = list(dict.fromkeys(name for source in sources for name in source.names))
    learned = recipe.objective.labels is not None or recipe.objective.objects is not None
    if names and learned:
        data["vocabulary"] = [*names]
    path = folder / ASSEMBLY
    with replacing(path) as file:
        file.write(write_text(data).encode())
    return path


def _terms(start: Start, sources: Sequence[OpenSource]) -> str:
    """Terms of what the weights were made from, as far as they are known."""
    parts = [f"start: {start.license}"] if start.license else []
    parts += [f"{source.name}: {source.train.info.license or 'unknown'}" for source in sources]
    return "; ".join(parts)
