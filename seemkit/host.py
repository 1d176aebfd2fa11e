"""What the host asks of the objects behind entry points, and the registry that knows it."""

from functools import cache

import seemkit_registry
from seemkit.prompting.prompt import Prompt, SpatialPrompt, TokenPrompt
from seemkit_registry import Registry

__all__ = ["expect_components", "registry"]

BUILT = ("backbones", "pixel_decoders", "mask_decoders", "text_encoders", "answer_policies", "exporters")


@cache
def registry() -> Registry:
    """The registry of this process, with what the host expects of each kind."""
    found = seemkit_registry.default()
    expect_components(found)
    return found


def expect_components(found: Registry) -> None:
    """Tell a registry what a usable component of each kind is."""
    found.expect("prompts", check_prompt)
    for kind in BUILT:
        found.expect(kind, check_built)
    found.expect("datasets", check_dataset)
    found.expect("hooks", check_hooks)


def check_prompt(value: object) -> str | None:
    """None for a prompt type; else what is wrong with it."""
    if not (isinstance(value, type) and issubclass(value, Prompt)):
        return f"it is {_describe(value)}, not a subclass of SpatialPrompt or TokenPrompt"
    if not issubclass(value, SpatialPrompt | TokenPrompt):
        return "it derives from Prompt itself; derive it from SpatialPrompt or TokenPrompt"
    if not isinstance(value.model_fields["type"].default, str):
        return "its field 'type' has no default, such as type: Literal['lasso'] = 'lasso'"
    return _lacking(value)


def check_built(value: object) -> str | None:
    """None for an object with Options and build; else what is wrong with it."""
    from pydantic import BaseModel

    options = getattr(value, "Options", None)
    if not (isinstance(options, type) and issubclass(options, BaseModel)):
        return f"it is {_describe(value)} without a pydantic model 'Options'"
    if not callable(getattr(value, "build", None)):
        return "it has no 'build(options, ...)'"
    return None


def check_dataset(value: object) -> str | None:
    """None for a usable data set; else what is wrong with it."""
    from seemkit.data.dataset import Dataset

    if not (isinstance(value, type) and issubclass(value, Dataset)):
        return f"it is {_describe(value)}, not a subclass of Dataset or IndexedDataset"
    return check_built(value) or _lacking(value)


def check_hooks(value: object) -> str | None:
    """None for hooks without options, and for a class with Options and build; else what is wrong with it."""
    return check_built(value) if getattr(value, "Options", None) is not None else None


def _lacking(value: type) -> str | None:
    lacking = ", ".join(repr(name) for name in sorted(getattr(value, "__abstractmethods__", ())))
    return f"it lacks the method {lacking}" if lacking else None


def _describe(value: object) -> str:
    return (
        f"the class {value.__name__}"
        if isinstance(value, type)
        else f"an object of type {type(value).__name__}"
    )
