"""An assembly written out in full, for a person: every option with what it is and its default, as comments."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, JsonValue, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from seemkit.assembly.assembly import SLOTS, VERSION, Assembly, FixedPart
from seemkit.assembly.document import write_value
from seemkit.choice import Slot
from seemkit_registry import Registry
from seemkit_registry.fault import one_line

__all__ = ["explain"]

_PLAIN: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])
_FIRST = ("name", "summary")


def explain(assembly: Assembly, registry: Registry) -> str:
    """`assembly` as YAML with comments; from a file in the folder of its weights it loads into an equal one."""
    fixed = _PLAIN.validate_python(assembly.model_dump(mode="json", exclude={*SLOTS, "hooks"}))
    lines = [f"seemkit: {VERSION}"]
    for name in _FIRST:
        lines += _entry(name, fixed[name], FixedPart.model_fields[name], 0)
    for slot, kind in SLOTS.items():
        choice: Slot = getattr(assembly, slot)
        component = registry.resolve(kind, choice.component)
        named = " ".join(filter(None, (component.qualified, component.version)))
        lines += ["", *_comment(f"{component.summary or kind} ({named})", 0), f"{slot}:"]
        lines.append(f"  use: {write_value(choice.use)}")
        lines += _options(choice)
    hooks: list[JsonValue] = [
        {"use": hook.use, **(_whole(hook.settings) or hook.options())} for hook in assembly.hooks
    ]
    lines += ["", *_entry("hooks", hooks, Assembly.model_fields["hooks"], 0)]
    for name, field in FixedPart.model_fields.items():
        if name not in _FIRST:
            lines += ["", *_part(name, getattr(assembly, name), fixed[name], field, 0)]
    return "\n".join([*lines, ""])


def _options(choice: Slot) -> Iterator[str]:
    """The lines of the options of a component; one whose default cannot be written is a comment."""
    model = type(choice.settings)
    given = choice.options()
    written = _whole(choice.settings)
    for name, field in model.model_fields.items():
        if written is not None:
            yield from _part(name, getattr(choice.settings, name), written[name], field, 2)
        elif name in given:
            yield from _entry(name, given[name], field, 2)
        else:
            yield from _comment(f"{name}: {field.description or 'left at its default'}", 2)


def _whole(settings: BaseModel) -> dict[str, JsonValue] | None:
    """All options as plain data, defaults too; None if that would not be read back as it was."""
    try:
        data = _PLAIN.validate_python(settings.model_dump(mode="json"))
        return data if type(settings).model_validate(data) == settings else None
    except Exception:  # of a model of a plugin
        return None


def _part(name: str, value: object, data: JsonValue, field: FieldInfo, indent: int) -> Iterator[str]:
    """A field: a section of its own if its value is a model, and one entry if not."""
    if not (isinstance(value, BaseModel) and isinstance(data, Mapping)):
        yield from _entry(name, data, field, indent)
        return
    yield from _comment(field.description or "", indent)
    yield f"{' ' * indent}{name}:"
    for inner, about in type(value).model_fields.items():
        yield from _part(inner, getattr(value, inner), data[inner], about, indent + 2)


def _entry(name: str, value: JsonValue, field: FieldInfo, indent: int) -> Iterator[str]:
    """What a field is and its default, as a comment, and its value."""
    yield from _comment(f"{field.description or name.replace('_', ' ')}{_default(field)}", indent)
    yield f"{' ' * indent}{name}: {write_value(value, indent)}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return " (no default)"
    try:
        default = to_jsonable_python(field.get_default(call_default_factory=True))
        return f" (default: {one_line(write_value(default), 80)})"
    except Exception:  # a default that is no plain data
        return ""


def _comment(text: str, indent: int) -> Iterator[str]:
    said = one_line(text, 400)
    if said:
        yield f"{' ' * indent}# {said}"
