"""The folder of a run: refused where training would write over what is not its own."""

from pathlib import Path

from seemkit.errors import SeemkitError
from seemkit.training.checkpoint import FILE
from seemkit.training.finish import ASSEMBLY
from seemkit.training.recipe.recipe import Recipe
from seemkit.training.start import WEIGHTS

__all__ = ["check_folder", "trained_in"]


def check_folder(folder: Path, recipe: Recipe, *, restart: bool = False) -> None:
    """Refuse a folder that a run cannot or should not be written into.

    Args:
        folder: of the run.
        recipe: what is trained on.
        restart: whether a model that lies there may be replaced.

    Raises:
        SeemkitError: it lies at a file, it is a data set of the recipe, or it has a model that no checkpoint tells of.
    """
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir():
        raise SeemkitError(
            f"-o {str(folder)!r}: {str(there)!r} is a file; give a folder for the run", path="-o"
        )
    for place, source in enumerate(recipe.sources):
        path = getattr(source.slot.settings, "path", None)
        if path is not None and Path(path).resolve() == folder.resolve():
            raise SeemkitError(
                f"-o {str(folder)!r} is the data of data.sources[{place}]; give another folder for the run",
                path="-o",
            )
    found = trained_in(folder)
    if found not in (None, FILE) and not restart:
        raise SeemkitError(
            f"-o {str(folder)!r} has a {found} and no checkpoint to go on from; give another folder with -o, or "
            "--restart to replace it",
            path="-o",
        )


def trained_in(folder: Path) -> str | None:
    """The name of a file of a training, or of another model, that a folder has: first of all its checkpoint."""
    return next((name for name in (FILE, ASSEMBLY, WEIGHTS) if (folder / name).exists()), None)
