"""From JSON or a command-line flag to a prompt of an installed type, or one sentence why not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from seemkit.errors import PromptError
from seemkit.host import registry
from seemkit.prompting.flags import split_flag
from seemkit.prompting.prompt import Prompt
from seemkit_registry import Component, RegistryError, nearest

__all__ = ["explain", "prompt_type", "prompt_types", "read_flag", "read_prompt", "read_prompts"]

_Kind = TypeVar("_Kind", bound=Prompt)

_PLAINLY = {
    "list_type": "a list",
    "sequence_str": "a list",
    "tuple_type": "a tuple such as (x, y)",
}


def read_prompt(
    data: Mapping[str, object] | Prompt,
    *,
    path: str = "prompts[0]",
    assets: Mapping[str, object] | None = None,
) -> Prompt:
    """The prompt that a JSON object describes; a prompt is given back as it is.

    Args:
        data: fields of the prompt, with the `type` of an installed prompt type.
        path: where the object stands, for the sentence if it is wrong.
        assets: arrays and scenes that travel by hash, ``{hash: array or scene}``.

    Raises:
        PromptError: one sentence that names path, value and expectation; for an unknown type the nearest one.
    """
    if isinstance(data, Prompt):
        return data
    if not isinstance(data, Mapping):
        raise PromptError(f"{path} is {_show(data)}, expected an object with a 'type'", path=path)
    name = data.get("type")
    if not isinstance(name, str):
        problem = f"{path}.type is {_show(name)}" if "type" in data else f"{path} has no 'type'"
        raise PromptError(f"{problem}, expected one of {', '.join(prompt_types())}", path=f"{path}.type")
    kind = prompt_type(name, path=f"{path}.type")
    try:
        return kind.model_validate({**data, "type": kind.type_name()}, context={"assets": dict(assets or {})})
    except ValidationError as error:
        raise explain(error, kind, path=path) from error


def read_prompts(prompts: object) -> list[Prompt]:
    """A request's prompts: one prompt, or a sequence of prompts and of JSON objects that describe them.

    Raises:
        PromptError: it is neither, or one of the objects describes no prompt.
    """
    if isinstance(prompts, Prompt):
        return [prompts]
    if not isinstance(prompts, Iterable) or isinstance(prompts, str | bytes | Mapping):
        raise PromptError(
            f"prompts is {_show(prompts)}, expected a list of prompts such as [Point(x=120, y=80)]",
            path="prompts",
        )
    return [
        read_prompt(prompt, path=f"prompts[{i}]") if isinstance(prompt, Mapping) else prompt
        for i, prompt in enumerate(prompts)
    ]


def read_flag(kind: type[_Kind], text: str, *, include: bool = True, default_object: str = "1") -> _Kind:
    """The prompt that the value of a command-line flag gives, such as ``120,80`` or ``dog:120,80``.

    Args:
        kind: the prompt type that the flag belongs to.
        text: the value; a name before a colon is the object.
        include: False for the ``--not-`` flag.
        default_object: the object of a value that names none.

    Raises:
        PromptError: one sentence that names the flag, value and expectation.
    """
    flag = f"--{'' if include else 'not-'}{kind.type_name()}"
    named, value = split_flag(text)
    try:
        prompt = kind.parse(value)
        fields = {name: getattr(prompt, name) for name in type(prompt).model_fields}
        return type(prompt)(**{**fields, "object": named or default_object, "include": include})
    except ValidationError as error:
        raise explain(error, kind, path=flag) from error
    except PromptError as error:
        if isinstance(error.__cause__, ValidationError):
            raise explain(error.__cause__, kind, path=flag) from error
        raise


def prompt_types() -> dict[str, type[Prompt]]:
    """The usable prompt types by their JSON `type`, sorted; a type that several plugins claim is left out."""
    return {name: found[0][1] for name, found in sorted(_claims().items()) if len(found) == 1}


def prompt_type(name: str, *, path: str = "type") -> type[Prompt]:
    """The prompt type with this JSON `type`, or behind a qualified name like ``seemkit-lasso/lasso``.

    Raises:
        PromptError: there is none (with the nearest name), several claim it, or its plugin is quarantined.
    """
    if "/" in name:
        try:
            found = registry().get("prompts", name)
        except RegistryError as error:
            raise PromptError(f"{path}: {error}", path=path, suggestion=error.suggestion) from error
        if isinstance(found, type) and issubclass(found, Prompt):
            return found
    claims = _claims()
    claimed = claims.get(name, [])
    if len(claimed) == 1:
        return claimed[0][1]
    if claimed:
        names = " or ".join(repr(component.qualified) for component, _ in claimed)
        raise PromptError(f"{path} {name!r} is claimed by several plugins: write {names}", path=path)
    if broken := _quarantined(name):
        raise PromptError(f"{path} {name!r} cannot be used: {broken}", path=path)
    near = nearest(name, claims)
    hint = f"did you mean {near[0]!r}?" if near else f"installed are {', '.join(sorted(claims))}"
    raise PromptError(
        f"{path} {name!r} is not an installed prompt type; {hint}",
        path=path,
        suggestion=near[0] if near else None,
    )


def explain(error: ValidationError, kind: type[Prompt], *, path: str) -> PromptError:
    """What pydantic found wrong with the fields of a prompt, first fault only, as one sentence."""
    faults = error.errors(include_url=False)
    # A field that is missing is often there under another name, and that name tells more.
    first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    lacking = [fault["loc"][-1] for fault in faults if fault["type"] == "missing"]
    place = _place(path, first["loc"])
    what, given = first["type"], first["input"]
    if what == "missing":
        return PromptError(f"{place} is missing: a {kind.type_name()} needs it", path=place)
    if what == "extra_forbidden":
        field, fields = str(first["loc"][-1]), [name for name in kind.model_fields if name != "type"]
        near = nearest(field, fields) if len(lacking) < 2 else []
        hint = f"did you mean {near[0]!r}?" if near else f"its fields are {', '.join(fields)}"
        needs = f" and needs {lacking[0]!r}" if lacking and not near else ""
        return PromptError(
            f"{path}: a {kind.type_name()} has no field {field!r}{needs}; {hint}",
            path=place,
            suggestion=near[0] if near else None,
        )
    if what in ("value_error", "assertion_error"):
        cause = first.get("ctx", {}).get("error")
        inner = cause.path if isinstance(cause, PromptError) and cause.path else ""
        if isinstance(cause, PromptError) and inner and str(cause).startswith(inner):
            return PromptError(f"{path}.{cause}", path=f"{path}.{inner}", suggestion=cause.suggestion)
        sentence = str(cause or first["msg"])
        if not sentence.startswith(f"{path} "):
            sentence = f"{path}: {sentence}"
        return PromptError(sentence, path=f"{place}.{inner}" if inner else place)
    return PromptError(f"{place} is {_show(given)}, expected {_expected(first)}", path=place)


def _claims() -> dict[str, list[tuple[Component, type[Prompt]]]]:
    claims: defaultdict[str, list[tuple[Component, type[Prompt]]]] = defaultdict(list)
    for component, found in registry().load_all("prompts"):
        if isinstance(found, type) and issubclass(found, Prompt):
            claims[found.type_name()].append((component, found))
    return claims


def _quarantined(name: str) -> str | None:
    """The fault of a component that would provide the type, going by its name or its class's."""
    for component in registry().components("prompts"):
        names = (component.name, component.name.removesuffix("s"), component.attribute.lower())
        if component.fault and name in names:
            return component.fault.one_line
    return None


def _expected(error: ErrorDetails) -> str:
    """What would have been right, from pydantic's kind of error."""
    what, limits = error["type"], error.get("ctx", {})
    if what in ("too_short", "string_too_short", "too_long", "string_too_long"):
        most = what.endswith("long")
        count = limits["max_length" if most else "min_length"]
        unit = "character" if what.startswith("string") or isinstance(error["input"], str) else "item"
        return f"{count} {unit}{'' if count == 1 else 's'} {'at most' if most else 'at least'}"
    if what in _PLAINLY or limits.get("class") == "Sequence":
        return _PLAINLY.get(what, "a list")
    words = error["msg"].removeprefix("Input should be ")
    return f"{'a number ' if what.startswith(('greater', 'less')) else ''}{words[:1].lower()}{words[1:]}"


def _place(path: str, location: tuple[int | str, ...]) -> str:
    """`path` and what lies in it: ``prompts[0].points[2][1]``, or ``--scribble: points[2][1]`` for a flag."""
    inner = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"{path}: {inner.removeprefix('.')}" if path.startswith("--") and inner else path + inner


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
