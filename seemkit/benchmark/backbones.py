"""Backbones side by side in one assembly: how long they take, how much memory, and how well they do on given data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from seemkit.assembly import load_assembly
from seemkit.benchmark.backbone_names import BackboneName
from seemkit.benchmark.machine import Machine, load_average, look_at_machine
from seemkit.benchmark.peak import peak_bytes
from seemkit.benchmark.subject import make_photo
from seemkit.benchmark.timing import interleave, median, ratio
from seemkit.errors import SeemkitError
from seemkit.evaluation.conversation import converse
from seemkit.evaluation.protocols.ritm import RitmClicker
from seemkit.pipeline.load import load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seemkit.data.sample import Sample
    from seemkit.pipeline.model import Model

__all__ = ["BackboneRow", "BackboneTable", "compare_backbones"]

PHOTO = (480, 640)
"""(H, W) of the picture that is encoded where no data is given."""
CLICKS = (1, 3)
"""After how many clicks accuracy is told."""
SEED = 0


class BackboneRow(BaseModel):
    """One backbone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    backbone: dict[str, JsonValue] = Field(description="the slot of the assembly")
    parameters: int = Field(description="of the backbone")
    input: tuple[int, int] = Field(description="(H, W) that the photo is padded to")
    seconds: list[float] = Field(description="of each run of encoding the photo")
    ratio: float = Field(description="time as a share of the first backbone's, run by run, the median")
    weights_bytes: int = Field(description="of the whole model's parameters and buffers")
    peak_bytes: int = Field(description="the most that encoding takes on top of the weights")
    untrained: list[str] = Field(description="parts that the weights have nothing for")
    accuracy: dict[int, float] | None = Field(
        None, description="mean IoU by number of clicks; None without data, or with untrained parts"
    )


class BackboneTable(BaseModel):
    """Rows that were measured in one run, in turn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: Machine
    assembly: str
    device: str
    photo: tuple[int, int] = Field(description="(H, W) of the photo that was encoded")
    repeats: int
    load: float | None = Field(description="load average of the minute before the end")
    data: str | None = Field(description="what accuracy was measured on")
    objects: int = Field(0, description="of the data")
    protocol: str = RitmClicker.name
    rows: list[BackboneRow]

    def to_markdown(self) -> str:
        """The table with what is needed to read it."""
        columns = ["backbone", "M parameters", "input", "encode", "ratio", "peak memory", "weights"]
        columns += [f"IoU@{k}" for k in CLICKS] if self.data is not None else []
        lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        lines += [f"| {' | '.join(cells)} |" for cells in self.cells()]
        about = [
            f"Encoding one photo of {self.photo[1]} x {self.photo[0]} in {self.assembly!r} on {self.device}, "
            f"{self.machine.threads} threads: the median of {self.repeats} runs that took turns; ratios are to the "
            "first, run by run. Peak memory is what encoding takes on top of the weights."
        ]
        if self.data is not None:
            about.append(
                f"IoU@k is the mean IoU after k clicks on {self.objects} objects of {self.data} ({self.protocol}). "
                "'untrained' stands where parts have random weights, whose accuracy would say nothing."
            )
        load = "" if self.load is None else f", load average {self.load}"
        about.append(
            f"{self.machine.processor}, {self.machine.cores} cores{load}; torch {self.machine.torch}, seemkit "
            f"{self.machine.commit or self.machine.seemkit}, {self.machine.date}."
        )
        return "\n".join([*lines, "", *(line + "\n" for line in about)])

    def cells(self) -> list[list[str]]:
        """The table as text, a row a backbone."""
        return [self._cells(row) for row in self.rows]

    def _cells(self, row: BackboneRow) -> list[str]:
        cells = [
            row.name,
            f"{row.parameters / 1e6:.1f}",
            f"{row.input[1]} x {row.input[0]}",
            f"{median(row.seconds) * 1e3:.1f} ms",
            f"{row.ratio:.2f}",
            f"{row.peak_bytes / 1e6:.0f} MB",
            f"{row.weights_bytes / 1e6:.0f} MB",
        ]
        if self.data is not None:
            found = row.accuracy
            cells += ["untrained" if found is None else f"{found[k]:.3f}" for k in CLICKS]
        return cells


@dataclass(frozen=True)
class _Loaded:
    name: BackboneName
    slot: dict[str, JsonValue]
    model: Model


@dataclass(frozen=True, eq=False)
class _Thing:
    """An object and its photo: (H, W, 3) uint8, and (H, W) bool each."""

    key: str
    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    ignore: NDArray[np.bool_]


def compare_backbones(
    backbones: Sequence[str | BackboneName],
    data: Iterable[Sample] | None = None,
    *,
    assembly: str = "nano",
    overrides: dict[str, Any] | None = None,
    device: str = "auto",
    repeats: int = 5,
    limit: int | None = None,
    title: str = "the given data",
    say: Callable[[str], None] = lambda _: None,
) -> BackboneTable:
    """Measure backbones in one assembly, in one run.

    A backbone with weights of its own is as good as these are. One without takes what it can of the assembly's:
    accuracy is told only if nothing of it is then untrained, as for the backbone that the assembly has anyway.

    Args:
        backbones: names, see :class:`BackboneName`; two or more.
        data: photos with objects, such as a data set; accuracy is measured on them, and the first photo is what is
            encoded.
        assembly: name or path; its backbone is exchanged.
        overrides: options of the assembly by dotted path.
        device: as for :func:`seemkit.load`.
        repeats: runs of each backbone that count.
        limit: so many objects at most.
        title: what the table calls the data, unless it has a name.
        say: is told what goes on.

    Raises:
        SeemkitError, RegistryError: an unknown name, or weights that do not fit.
    """
    names = [BackboneName.parse(each) if isinstance(each, str) else each for each in backbones]
    if len({name.said for name in names}) < len(names):
        raise SeemkitError("a backbone is given twice; each has to be another", path="backbones")
    things = None if data is None else _things(data, limit)
    first = None if things is None else next(things, None)
    if things is not None and first is None:
        raise SeemkitError("there is no object in the data to measure accuracy on", path="data")
    photo = make_photo(PHOTO) if first is None else first.image
    loaded = [_load(name, assembly, overrides or {}, device, say) for name in names]
    where = loaded[0].model.device
    say("encoding in turn")
    runs = {each.name.said: _encode(each.model, photo) for each in loaded}
    seconds = interleave(runs, repeats=repeats, device=where)
    curves = {} if things is None or first is None else _click(loaded, chain([first], things), say)
    info = getattr(data, "info", None)
    return BackboneTable(
        machine=look_at_machine(where),
        assembly=assembly,
        device=str(where),
        photo=(photo.shape[0], photo.shape[1]),
        repeats=repeats,
        load=load_average(),
        data=None if data is None else (info.name if info is not None else title),
        objects=max((len(found) for found in curves.values()), default=0),
        rows=[_row(each, photo, seconds, names[0].said, curves.get(each.name.said)) for each in loaded],
    )


def _load(
    name: BackboneName, assembly: str, overrides: dict[str, Any], device: str, say: Callable[[str], None]
) -> _Loaded:
    """The assembly with another backbone, and with all the weights that there are for it."""
    say(f"loading {name.said}")
    whole = load_assembly(assembly, overrides or None)
    slot = name.slot(whole.backbone)
    changes = {**overrides, "backbone": slot}
    weights: Any = name.weights
    if weights is None:
        path = whole.weights_path()
        weights = str(path) if path is not None and path.is_file() else None
    with torch.random.fork_rng():
        torch.manual_seed(SEED)  # random weights are the same every time
        model = load(
            assembly,
            device=device,
            weights=weights,
            overrides=changes,
            allow_untrained=name.weights is None,
        )
    if weights is None:
        model.network.untrained |= {"all"}
    return _Loaded(name, slot, model)


def _click(
    loaded: Sequence[_Loaded], things: Iterable[_Thing], say: Callable[[str], None]
) -> dict[str, list[list[float]]]:
    """The IoU after each click of every object, by the name of each backbone that has nothing untrained."""
    trained = [each for each in loaded if not each.model.network.untrained]
    curves: dict[str, list[list[float]]] = {each.name.said: [] for each in trained}
    if trained:
        for thing in things:
            say(f"clicking on {thing.key}")
            for each in trained:
                scene = each.model.encode(thing.image)
                clicker = RitmClicker(thing.mask, thing.ignore, scene.grid)
                curves[each.name.said].append(converse(each.model, scene, clicker, max(CLICKS)).curve)
    return curves


def _row(
    each: _Loaded,
    photo: NDArray[np.uint8],
    seconds: dict[str, list[float]],
    first: str,
    curves: list[list[float]] | None,
) -> BackboneRow:
    model, network, name = each.model, each.model.network, each.name.said
    mean = None if curves is None else np.array(curves).mean(0)
    return BackboneRow(
        name=name,
        backbone=each.slot,
        parameters=sum(x.numel() for x in network.image_encoder.parameters()),
        input=model.encode(photo).padded,
        seconds=seconds[name],
        ratio=ratio(seconds[name], seconds[first]),
        weights_bytes=sum(x.numel() * x.element_size() for x in (*network.parameters(), *network.buffers())),
        peak_bytes=peak_bytes(_encode(model, photo), model.device),
        untrained=sorted(network.untrained),
        accuracy=None if mean is None else {k: float(mean[k - 1]) for k in CLICKS},
    )


def _encode(model: Model, photo: NDArray[np.uint8]) -> Callable[[], object]:
    return lambda: model.encode(photo)


def _things(data: Iterable[Sample], limit: int | None) -> Iterator[_Thing]:
    """Every object of the data that can be clicked on, with its photo; up to `limit` of them."""
    count = 0
    for sample in data:
        whole = sample.loaded()
        image, ignore = whole.read_image(), whole.read_ignore()
        for place, each in enumerate(whole.objects):
            mask = each.read_mask()
            if each.is_crowd or not each.is_thing or not mask.any():
                continue
            if count == limit:
                return
            count += 1
            yield _Thing(
                f"{whole.key}/{place}", image, mask, np.zeros_like(mask) if ignore is None else ignore
            )
