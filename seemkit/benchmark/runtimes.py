"""Encoding and a round under each runtime option, against plain float32."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from seemkit.assembly import RuntimeSection
from seemkit.benchmark.report import Case, Figure
from seemkit.benchmark.rounds import point
from seemkit.benchmark.subject import Path, Subject, make_photo
from seemkit.errors import SeemkitError
from seemkit.pipeline.caches import Cache
from seemkit.pipeline.device_cache import DeviceCache
from seemkit.runtime.check import check_runtime
from seemkit.runtime.process import set_process
from seemkit.runtime.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from seemkit.pipeline.model import Model
    from seemkit.result import Result

__all__ = ["PLAIN", "SIZES", "VARIANTS", "measure_runtimes"]

SIZES = (512, 1024)
"""Sides of the square photos, unless one was asked for or the backbone takes one size only."""
PLAIN = "float32"
EVERYTHING: Mapping[str, Any] = {
    "precision": "bfloat16", "compile": True, "cuda_graphs": True, "pin_memory": True,
}  # fmt: skip
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    PLAIN: {},
    "bfloat16": {"precision": "bfloat16"},
    "compile": {"compile": True},
    "bfloat16, compile": {"precision": "bfloat16", "compile": True},
    "tf32": {"tf32": True},
    "float16": {"precision": "float16"},
    "pin_memory": {"pin_memory": True},
    "cuda_graphs": {"cuda_graphs": True},
    "all, bfloat16": EVERYTHING,
}
"""Runtime options by the name of the path."""
OWN = "as set"
"""The path of the options that the command was given, if it was given any."""
SLOW = (
    "On a CPU torch.compile generates code for minutes, so it is measured only if it is asked for, by -s "
    "runtime.compile=true."
)


def measure_runtimes(subject: Subject) -> Iterator[Case]:
    """Encoding and a second click, at each size."""
    fixed = subject.model.preprocess.fixed
    sides = [(subject.asked, subject.asked)] if subject.asked else [(side, side) for side in SIZES]
    for size in [fixed] if fixed is not None else sides:
        yield from _measure(subject, size)


def _measure(subject: Subject, size: tuple[int, int]) -> Iterator[Case]:
    pixels = make_photo(size)
    models, left_out = _variants(subject.model, size)
    notes = []
    if subject.device.type != "cuda":
        notes += [f"No CUDA here: {', '.join(map(repr, left_out))} were not measured.", SLOW]
    height, width = size
    scenes = {name: model.encode(pixels) for name, model in models.items()}
    yield _against_plain(
        subject.case(
            "runtime",
            f"encode {width} x {height}",
            "A photo to a scene, from pixels of the host.",
            {name: Path(_with(model, partial(model.encode, pixels))) for name, model in models.items()},
            count=False,
            notes=notes,
        )
    )
    answers: dict[str, Result] = {}
    paths = {}
    for name, model in models.items():
        session = model.session(scenes[name])
        session.add(point(subject, 0.4, 0.45)).result()

        def second(session: Any = session, name: str = name) -> None:
            answers[name] = session.add(point(subject, 0.6, 0.5)).result()
            session.undo()

        paths[name] = Path(_with(model, second))
    case = subject.case(
        "runtime",
        f"round {width} x {height}",
        "A second click with the mask of the first as memory, to the result on the host.",
        paths,
        count=False,
        notes=notes,
    )
    yield _against_plain(case.model_copy(update={"figures": list(_differences(answers))}))


def _variants(model: Model, size: tuple[int, int]) -> tuple[dict[str, Model], list[str]]:
    """The model under each option that its device can do, and the names of the others."""
    models, left_out = {}, []
    sections = {name: RuntimeSection(**options) for name, options in VARIANTS.items()}
    own = model.runtime.section.model_copy(update={"device": "auto", "threads": None})
    if own not in sections.values():
        sections[OWN] = own
    for name, section in sections.items():
        try:
            check_runtime(section, model.device)
        except SeemkitError:
            left_out.append(name)
            continue
        if section.compile and model.device.type == "cpu" and name != OWN:
            continue
        other = copy(model)
        other.runtime = Runtime(section)
        if model.preprocess.fixed is None:
            other.preprocess = replace(model.preprocess, short=min(size), long=max(size))
        other._prepared, other._references, other._fingerprints = DeviceCache(4), DeviceCache(8), Cache(4)
        models[name] = other
    return models, left_out


def _with(model: Model, run: Callable[[], object]) -> Callable[[], object]:
    """Run with the switches of the process as the model's options want them; the first time, compile and record."""

    def switched() -> object:
        set_process(model.runtime.section, model.device)
        return run()

    if model.runtime.section.cuda_graphs:
        switched()  # a form is recorded when it is seen for the second time
    return switched


def _against_plain(case: Case) -> Case:
    others = [path.name for path in case.paths if path.name != PLAIN]
    return case.model_copy(update={"ratios": [case.compare(name, PLAIN) for name in others]})


def _differences(answers: Mapping[str, Result]) -> Iterator[Figure]:
    """How far each path's mask and logits are from the plain one's."""
    plain = answers[PLAIN]
    assert plain.logits is not None
    for name, answer in answers.items():
        if name == PLAIN:
            continue
        assert answer.logits is not None
        both, either = plain.masks & answer.masks, plain.masks | answer.masks
        overlap = 1.0 if not either.any() else float(both.sum() / either.sum())
        yield Figure(name=f"{name}: IoU with {PLAIN}", value=overlap)
        largest = float(np.abs(answer.logits - plain.logits).max())
        yield Figure(name=f"{name}: largest difference of logits", value=largest)
