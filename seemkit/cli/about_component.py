"""What `seemkit info` says of a component, from its metadata and source; of a prompt type, from the type."""

from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

import numpy as np
from pydantic import BaseModel, JsonValue, TypeAdapter

from seemkit.assembly.assembly import SLOTS
from seemkit.assembly.document import write_value_in_line
from seemkit.assembly.load import assembly_names, read_assembly
from seemkit.cli.chatter import chatter_aside
from seemkit.cli.prompt_flags import PromptFlag
from seemkit.cli.static_source import Option, docstring_of, options_of
from seemkit.host import registry
from seemkit.prompting.prompt import SpatialPrompt
from seemkit_registry import Component

__all__ = ["describe_component"]

SHAPES = {
    "backbones": "(B, 3, H, W) normalised to four maps (B, C_i, H / s_i, W / s_i), finest first",
    "pixel_decoders": "four maps to three levels (B, C, h, w) at strides 32, 16, 8 and a map at stride 4",
    "mask_decoders": "levels, mask features and rows (N, T, C) to candidate rows (N, Q, C)",
    "text_encoders": "each text to tokens (T, D) and an embedding (D,)",
    "answer_policies": "log-probabilities (Q,) of each anchor to log-scores (Q,)",
    "exporters": "masks (N, H, W) bool of a result, and what is known of them, to files",
    "datasets": "samples: an image (H, W, 3) uint8, masks (H, W) bool of its objects, and their names",
    "hooks": "an assembly, a scene, prompts or a result, to the same or another of its type",
}
"""What goes in and comes out, by kind."""
PROMPT_SHAPES = {
    "spatial": "its pixels: a region (height, width) bool on the input grid",
    "token": "groups of rows (T, C), and anchors (C,) in mask space or (D,) in class space",
}
"""The same of prompt types, by level."""

USES = {
    "exporters": "--export {name}:FILE{suffix}",
    "datasets": "{{use: {name}, ...}}",
    "hooks": "-s hooks=[{name}]",
}
"""How a component that fills no slot is asked for, by kind."""

_PLAIN = TypeAdapter(dict[str, JsonValue])


def describe_component(component: Component, flag: PromptFlag | None) -> dict[str, JsonValue]:
    """A component as plain data; `flag` is what it is on the command line, if it is a prompt type."""
    about: dict[str, JsonValue] = dict(_PLAIN.validate_python(component.as_dict()))
    about["about"] = docstring_of(component) or component.summary
    if flag is not None:
        level = "spatial" if issubclass(flag.kind, SpatialPrompt) else "token"
        return {**about, **_describe_prompt(flag), "shapes": PROMPT_SHAPES[level]}
    slot = next((slot for slot, kind in SLOTS.items() if kind == component.kind), None)
    if slot is not None:
        about["use"] = f"-s {slot}={component.name}"
        about["shapes"] = SHAPES[component.kind]
        about["example"] = f"{slot}: {_example(slot, component)}"
    elif component.kind in USES:
        about["use"] = USES[component.kind].format(name=component.name, suffix=_suffix(component))
        about["shapes"] = SHAPES[component.kind]
    if component.fault is None:
        options = options_of(component)
        about["options"] = [_as_dict(o) for o in (_import_options(component) if options is None else options)]
    if component.kind == "hooks" and not about.get("options"):
        about["use"] = "it is there as soon as it is installed"
    return about


def _example(slot: str, component: Component) -> str:
    """How an assembly writes it: as a shipped one does, else with what it lacks to be told."""
    for name in assembly_names():
        choice = read_assembly(name).data.get(slot)
        is_built_in = component.distribution == registry().host
        if is_built_in and isinstance(choice, dict) and choice.get("use") == component.name:
            return write_value_in_line(choice)
    needed = [option for option in options_of(component) or () if option.default is None]
    return write_value_in_line({"use": component.qualified, **{option.name: "..." for option in needed}})


def _suffix(component: Component) -> str:
    """What a file of an exporter ends in; the plugin is imported under guard."""
    if component.kind != "exporters" or component.fault is not None:
        return ""
    with chatter_aside():
        suffixes = getattr(registry().load(component), "suffixes", ())
    return str(suffixes[0]) if suffixes else ""


def _describe_prompt(flag: PromptFlag) -> dict[str, JsonValue]:
    from seemkit.cli.prompt_values import opens_object

    kind = flag.kind
    try:
        example: JsonValue = kind.example().model_dump(mode="json")
    except Exception as error:  # of a plugin
        example = f"its example cannot be made ({type(error).__name__})"
    return {
        "type": kind.type_name(),
        "level": "spatial" if issubclass(kind, SpatialPrompt) else "token",
        "canvas": kind.draw,
        "flags": list(flag.names),
        "usage": flag.usage() or None,
        "unnamed": "opens an object of its own" if opens_object(kind) else "shares object 1",
        "options": [_as_dict(option) for option in _model_options(kind) if option.name != "type"],
        "example": example,
    }


def _import_options(component: Component) -> list[Option]:
    """The options of a component whose source does not tell; its plugin is imported under guard."""
    with chatter_aside():
        model = getattr(registry().load(component), "Options", None)
    return _model_options(model) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _model_options(model: type[BaseModel]) -> list[Option]:
    options = []
    for name, field in model.model_fields.items():
        default = None if field.is_required() else repr(field.get_default(call_default_factory=True))
        options.append(Option(name, _written(field.annotation), default, field.description or ""))
    return options


def _written(kind: object) -> str:
    """A type as a person writes it, without what only pydantic reads."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _written(inner[0])
    if origin in (Union, UnionType):
        return " | ".join(map(_written, inner))
    if origin is Literal:
        return " | ".join(map(repr, inner))
    if kind is type(None) or kind is ...:
        return "None" if kind is not ... else "..."
    name = getattr(origin or kind, "__name__", str(kind))
    return f"{name}[{', '.join(map(_written, inner))}]" if inner and origin is not np.ndarray else name


def _as_dict(option: Option) -> JsonValue:
    return {"name": option.name, "kind": option.kind, "default": option.default, "about": option.about}
