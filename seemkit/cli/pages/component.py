"""The page of one component: what it is, its options, and how each way of using seemkit writes it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from seemkit.cli.about_component import describe_component
from seemkit.cli.pages.markdown import Page, code, fence, table
from seemkit.cli.pages.picture import region_picture
from seemkit.cli.prompt_flags import PromptFlag
from seemkit.host import registry
from seemkit.prompting.prompt import Prompt, SpatialPrompt
from seemkit_registry import Component

__all__ = ["component_page", "component_path"]

_LONG = 400


def component_path(component: Component) -> str:
    """Where the page lies: a plugin of another distribution has that in its name."""
    own = component.distribution == registry().host
    name = component.versioned if own else f"{component.distribution}-{component.versioned}"
    return f"{component.kind}/{name.replace('@', '-')}.md"


def component_page(component: Component, flag: PromptFlag | None = None) -> Page:
    """The page of a component; `flag` is what it is on the command line, if it is a prompt type."""
    about: Mapping[str, Any] = describe_component(component, flag)
    summary, _, rest = str(about["about"] or about["summary"]).partition("\n")
    parts = [f"# {component.versioned}", summary, _facts(component, about)]
    parts += filter(None, [_paragraphs(rest)])
    if component.fault is not None:
        parts.append(f"It cannot be used: {component.fault.one_line}")
    elif flag is not None:
        parts += _of_prompt(flag, about)
    elif about.get("example"):
        parts += [
            "## In an assembly",
            fence("yaml", str(about["example"])),
            f"Or {code(about['use'])} on the command line.",
        ]
    if about.get("options"):
        parts += ["## Fields" if flag is not None else "## Options", _options(about["options"])]
    text = "\n\n".join(parts) + "\n"
    return Page(component_path(component), component.versioned, summary, text)


def _facts(component: Component, about: Mapping[str, Any]) -> str:
    rows = [("kind", code(component.kind)), ("name", code(component.qualified))]
    rows.append(("from", " ".join(filter(None, (component.distribution, component.version)))))
    rows.append(("source", code(component.value)))
    if about.get("shapes"):
        rows.append(("shapes", str(about["shapes"])))
    return "\n".join(f"- **{what}**: {said}" for what, said in rows)


def _of_prompt(flag: PromptFlag, about: Mapping[str, Any]) -> Iterator[str]:
    kind = flag.kind
    picture = region_picture(kind) if issubclass(kind, SpatialPrompt) else None
    if picture is not None:
        yield "## What it selects"
        yield f"Its example, on an image of 64 x 48 pixels:\n\n{picture}"
    written = _in_python(kind)
    if written is not None:
        yield "## In Python"
        yield fence("python", f"from seemkit.prompts import {kind.__name__}\n\nprompt = {written}")
    yield "## On the command line"
    if about["usage"]:
        yield fence("console", f"seemkit segment photo.jpg {about['usage']}")
    flags = " and ".join(code(name) for name in about["flags"])
    yield f"{flags}; without the name of an object it {about['unnamed']}."
    example = json.dumps(about["example"])
    if len(example) <= _LONG:
        yield "## In JSON"
        yield fence("json", example)
    yield f"The canvas tool that draws it is {code(str(about['canvas']))}."


def _in_python(kind: type[Prompt]) -> str | None:
    """Its example as Python writes it; None if that would be long or cannot be made."""
    try:
        value = kind.example()
        given = {name: getattr(value, name) for name in kind.model_fields if name in value.model_fields_set}
        text = ", ".join(f"{name}={value!r}" for name, value in given.items() if name != "type")
    except Exception:  # of a plugin
        return None
    return f"{kind.__name__}({text})" if len(text) <= _LONG // 4 and "\n" not in text else None


def _paragraphs(text: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in text.strip().splitlines())


def _options(options: list[dict[str, Any]]) -> str:
    rows = [
        [
            code(o["name"]),
            code(o["kind"]),
            "required" if o["default"] is None else code(o["default"]),
            o["about"],
        ]
        for o in options
    ]
    return table(["name", "type", "default", "what it is"], rows)
