"""What an evaluation is: a YAML file that names a model, data sets and measures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializeAsAny,
    StringConstraints,
    ValidationError,
)

from seemkit.assembly.document import Document, read_file
from seemkit.assembly.overrides import override
from seemkit.assembly.shipped import Shipped, is_file_name, with_name
from seemkit.choice import Choices, Slot
from seemkit.choice.wording import show
from seemkit.evaluation.measures.measure import Measure
from seemkit.evaluation.measures.table import MEASURES
from seemkit.host import registry as host_registry
from seemkit_registry import Registry, UnknownComponent, nearest
from seemkit_registry.errors import ConfigurationError

__all__ = [
    "VERSION",
    "DataSource",
    "EvalConfig",
    "PlainFields",
    "evaluation_names",
    "load_evaluation",
    "read_evaluation",
]

VERSION = 1
SHIPPED = Shipped("evaluations", "an evaluation")
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class PlainFields(BaseModel):
    """The fields that need no plugin to be checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Word = Field("evaluation", description="what reports call it")
    summary: str = Field("", description="one sentence")
    assembly: Word = Field("nano", description="the model: name of an assembly or path of a YAML file")
    weights: Word = Field("default", description="a .safetensors file, 'default' or 'none' for random ones")
    options: dict[str, JsonValue] = Field({}, description="overrides of the assembly by dotted path")
    device: Word = Field("auto", description="auto, cpu, cuda, cuda:1 or mps")
    threads: int | None = Field(None, ge=1, le=1024, description="of the CPU; null leaves them as they are")
    data: str | None = Field(None, description="the folder that {data} stands for in options of data sets")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="of everything that is drawn")
    limit: int | None = Field(
        None, ge=1, description="the first so many pictures, or frames of a video; null: all"
    )
    worst: int = Field(
        6, ge=0, le=1000, description="pictures of worst cases kept for each measure and data set"
    )
    on_fault: Literal["report", "stop"] = Field(
        "report", description="what happens if a picture cannot be read or a measure fails on it"
    )


class DataSource(BaseModel):
    """A data set, and which of its pictures are looked at.

    Attributes:
        slot: the plugin and its options.
        hundredths: pictures of which hundredths, from the first to before the second: see
            :func:`seemkit.data.hundredth.hundredth`; None for all.
        keys: a text file that names the pictures, a key a line; None for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: Slot
    hundredths: tuple[int, int] | None = None
    keys: Path | None = None


class EvalConfig(PlainFields):
    """A checked evaluation.

    Attributes:
        datasets: what it is measured on, by the name that figures give it.
        measures: what is measured, by the name that figures give it.
    """

    datasets: dict[str, DataSource]
    measures: dict[str, SerializeAsAny[Measure]]


def evaluation_names() -> list[str]:
    """Names of the evaluations that seemkit brings, sorted."""
    return SHIPPED.names()


def load_evaluation(
    source: str | Path | Mapping[str, JsonValue],
    overrides: Mapping[str, JsonValue] | None = None,
    registry: Registry | None = None,
) -> EvalConfig:
    """The evaluation that `source` describes, every option checked; no data set is opened.

    Args:
        source: the name of a bundled evaluation, the path of a YAML file, or plain data.
        overrides: dotted paths and values, such as ``{"measures.clicks.rounds": 5}``; a text is read as YAML.
        registry: by default that of the process.

    Raises:
        UnknownComponent: no evaluation has this name; with the nearest that has.
        ConfigurationError: everything that is wrong with it.
    """
    document = read_evaluation(source)
    return _check(override(document, overrides) if overrides else document, registry or host_registry())


def read_evaluation(source: str | Path | Mapping[str, JsonValue]) -> Document:
    """What `source` says, unchecked."""
    if isinstance(source, Mapping):
        return Document(dict(source), "evaluation")
    if is_file_name(source):
        return read_file(Path(source))
    text, bundled = str(source), SHIPPED.files()
    if text in bundled:
        return with_name(read_file(bundled[text], text), text)
    near = nearest(text, bundled)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(bundled))}"
    message = f"no evaluation is named {text!r}, and it is no .yaml file; {hint}"
    raise UnknownComponent(message, kind="evaluations", name=text, suggestion=near[0] if near else None)


def _check(document: Document, registry: Registry) -> EvalConfig:
    choices = Choices(registry, document.lines)
    data = dict(document.data)
    choices.check_version(data.pop("seemkit", None), VERSION, needed=document.file is not None)
    parts = {name: data.pop(name, None) for name in ("datasets", "measures")}
    plain: PlainFields | None = None
    try:
        plain = PlainFields.model_validate(data)
    except ValidationError as error:
        choices.translate(error, PlainFields, "", [*PlainFields.model_fields, *parts, "seemkit"])
    below = data.get("data")
    folder = below if isinstance(below, str) else None
    datasets = {}
    for name, given in _entries(choices, "datasets", parts["datasets"]):
        source = _source(choices, f"datasets.{name}", _placed(choices, name, given, folder))
        if source is not None:
            datasets[name] = source
    measures = {}
    for name, given in _entries(choices, "measures", parts["measures"]):
        measure = _measure(choices, name, given)
        if measure is not None:
            measures[name] = measure
    if choices.problems or plain is None:
        order = {path: index for index, path in enumerate(document.lines)}
        problems = sorted(choices.problems, key=lambda p: (p.line is None, p.line or 0, order.get(p.path, 0)))
        raise ConfigurationError(problems, source=document.source)
    return EvalConfig(**plain.model_dump(), datasets=datasets, measures=measures)


def _entries(choices: Choices, part: str, given: JsonValue) -> list[tuple[str, JsonValue]]:
    """The named entries of a part, of which there is at least one."""
    if isinstance(given, dict) and given:
        return list(given.items())
    said = "it is missing or empty" if given is None or given == {} else f"got {show(given)}"
    choices.add(part, f"{said}; expected names, each with what it is, such as '{EXAMPLES[part]}'")
    return []


def _source(choices: Choices, path: str, given: JsonValue) -> DataSource | None:
    """The data set of an entry, and which part of it."""
    options = dict(given) if isinstance(given, dict) else {}
    part = _hundredths(choices, path, options.pop("hundredths", None))
    keys = options.pop("keys", None)
    if keys is not None and not isinstance(keys, str):
        choices.add(f"{path}.keys", f"got {show(keys)}, expected the path of a text file, a key a line")
        return None
    slot = choices.choose(path, "datasets", options if isinstance(given, dict) else given)
    if slot is None:
        return None
    return DataSource(slot=slot, hundredths=part, keys=None if keys is None else Path(keys))


def _hundredths(choices: Choices, path: str, given: JsonValue) -> tuple[int, int] | None:
    """Which hundredths of the pictures are looked at."""
    if given is None:
        return None
    match given:
        case [int(first), int(end)] if 0 <= first < end <= 100:
            return first, end
    said = f"got {show(given)}, expected two numbers from 0 to 100 such as [0, 15], the first 15 hundredths"
    choices.add(f"{path}.hundredths", said)
    return None


EXAMPLES = {"datasets": "mine: {use: folder, path: photos}", "measures": "clicks: {}"}


def _placed(choices: Choices, name: str, given: JsonValue, folder: str | None) -> JsonValue:
    """Options of a data set with the folder of the data in the place of {data}."""
    if isinstance(given, str) and "{data}" in given:
        if folder is None:
            path = f"datasets.{name}"
            choices.add(
                path, "it lies below the folder of the data: give that with --data DIR or 'data: DIR'"
            )
            return given.replace("{data}", ".")
        return given.replace("{data}", folder)
    if isinstance(given, dict):
        return {key: _placed(choices, name, value, folder) for key, value in given.items()}
    if isinstance(given, list):
        return [_placed(choices, name, value, folder) for value in given]
    return given


def _measure(choices: Choices, name: str, given: JsonValue) -> Measure | None:
    """The measure of an entry: `use` says which, by default the entry's own name."""
    path = f"measures.{name}"
    if given is not None and not isinstance(given, dict):
        choices.add(path, f"got {show(given)}, expected its options, such as {{}}")
        return None
    options = dict(given or {})
    use = options.pop("use", name)
    kind = MEASURES.get(use) if isinstance(use, str) else None
    if kind is None:
        near = nearest(str(use), MEASURES)
        choices.add(path, f"there is no measure {use!r}; there are {', '.join(MEASURES)}", near)
        return None
    try:
        return kind.model_validate(options)
    except ValidationError as error:
        choices.translate(error, kind, path, [*kind.model_fields, "use"], owner=str(use))
        return None
