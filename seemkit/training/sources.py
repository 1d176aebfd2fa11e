"""The opened data sets of a recipe: what is trained on, what is held out, and what their objects are called."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from seemkit.data.dataset import IndexedDataset
from seemkit.data.hundredth import hundredth
from seemkit.data.open import open_dataset
from seemkit.errors import SeemkitError
from seemkit.training.recipe.recipe import Recipe
from seemkit.training.recipe.sections import SharesSection

__all__ = ["OpenSource", "check_texts", "count_names", "held_out", "open_sources"]


@dataclass(frozen=True, eq=False)
class OpenSource:
    """A data set that is open.

    Attributes:
        name: for reports.
        train: what is trained on.
        held: what is held out; empty if nothing is.
        share: of the pictures.
        names: of its categories, in its order.
        prompts: how often a type of prompt is simulated for its objects, times what the objective says.
        copy_paste: share of its pictures that objects of another one are pasted on; None is as for all.
    """

    name: str
    train: IndexedDataset
    held: IndexedDataset
    share: float
    names: tuple[str, ...]
    prompts: Mapping[str, float] = field(default_factory=dict)
    copy_paste: float | None = None


def open_sources(recipe: Recipe) -> list[OpenSource]:
    """Open the data sets of a recipe.

    Raises:
        SeemkitError: there is none, or one cannot be opened, can only be read through, or has nothing to train on.
    """
    if not recipe.sources:
        raise SeemkitError(
            f"the recipe {recipe.name!r} has no data; give --data DIR, or data.sources in a recipe of your own",
            path="data.sources",
        )
    opened = []
    for place, source in enumerate(recipe.sources):
        where = f"data.sources[{place}]"
        dataset = open_dataset(source.slot, source=where)
        if not isinstance(dataset, IndexedDataset):
            raise SeemkitError(
                f"{where}: the data set {source.slot.use!r} can only be read through; training takes those whose "
                "samples are known by key",
                path=where,
            )
        share = recipe.data.hold_out if source.hold_out is None else source.hold_out
        keys = dataset.keys
        out = [key for key in keys if held_out(key, share)]
        left = out_of(keys, out)
        if not left:
            raise SeemkitError(f"{where}: {dataset.info.name} has no picture to train on", path=where)
        name = dataset.info.name
        train = dataset.subset(left) if out else dataset
        opened.append(
            OpenSource(
                name,
                train,
                dataset.subset(out),
                source.share,
                dataset.info.names,
                source.prompts,
                source.copy_paste,
            )
        )
    return opened


def held_out(key: str, share: float) -> bool:
    """Whether a picture is in the fixed share that no training sees, by its name."""
    return hundredth(key) < round(100 * share)


def out_of(keys: Sequence[str], out: Sequence[str]) -> list[str]:
    """The keys that are not in `out`, in order."""
    gone = set(out)
    return [key for key in keys if key not in gone]


def count_names(source: OpenSource) -> list[int]:
    """How often each name of a source occurs in what is trained on; annotations are read, no picture is."""
    found = Counter(each.name for sample in source.train for each in sample.objects if not each.is_crowd)
    return [found[name] for name in source.names]


def check_texts(sources: Sequence[OpenSource], shares: SharesSection) -> None:
    """Refuse to ask by texts alone for objects that have none: each would be asked for by a prompt instead.

    Annotations are read up to the first text, no picture is.

    Raises:
        SeemkitError: no object of any source has a name or a phrase, and shares ask in no other way.
    """
    if shares.prompt or shares.reference:
        return
    if not any(
        each.name is not None or each.phrases
        for source in sources
        for sample in source.train
        for each in sample.objects
    ):
        raise SeemkitError(
            "objective.shares asks by texts alone, but no object of the data has a name or a phrase; give the data "
            "names, such as category in data.sources for a folder of one kind, or objective.shares.prompt",
            path="objective.shares",
        )
