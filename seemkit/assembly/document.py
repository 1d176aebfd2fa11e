"""Reads a small subset of YAML into plain data: no tags, no aliases, no duplicate keys, no surprises."""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import JsonValue

from seemkit.choice.wording import join
from seemkit_registry.errors import ConfigurationError, Problem

__all__ = [
    "Document",
    "parse_value",
    "read_file",
    "read_text",
    "write_text",
    "write_value",
    "write_value_in_line",
]

LARGEST = 262_144
"""Bytes of a configuration."""
DEEPEST = 12
"""Levels of nesting."""

_NULL, _BOOL, _INT, _FLOAT = (f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float"))


@dataclass(frozen=True)
class Document:
    """A configuration as plain data.

    Attributes:
        data: the top-level mapping.
        source: what messages call it: a file or a name.
        lines: line of each path in the file, counted from 1.
        file: the file it was read from, if it was.
        weights_folder: what ``weights.file`` is relative to.
    """

    data: dict[str, JsonValue]
    source: str
    lines: dict[str, int] = field(default_factory=dict)
    file: Path | None = None
    weights_folder: Path | None = None


def read_file(path: Path, source: str | None = None) -> Document:
    """The document in the file at `path`; raises :class:`ConfigurationError` if it is not one."""
    source = source or str(path)
    if not path.is_file():
        raise ConfigurationError([Problem("", "there is no such file")], source=source)
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        problem = Problem("", f"it cannot be read ({error.strerror})")
        raise ConfigurationError([problem], source=source) from None
    except UnicodeDecodeError:
        if len(raw) <= LARGEST:
            raise ConfigurationError([Problem("", "it is not UTF-8 text")], source=source) from None
        text = raw.decode("latin-1")  # cut in the middle; its size is refused below
    data, lines = read_text(text, source)
    return Document(data, source, lines, path, path.parent)


def read_text(text: str, source: str) -> tuple[dict[str, JsonValue], dict[str, int]]:
    """The top-level mapping of `text`, and the line of each path in it."""
    lines: dict[str, int] = {}
    value = _Reader(source, lines).read(text)
    if not isinstance(value, dict):
        problem = Problem("", "it is not a mapping of fields such as 'backbone: timm'")
        raise ConfigurationError([problem], source=source)
    return value, lines


def parse_value(text: str, source: str) -> JsonValue:
    """The value that `text` is in YAML, such as ``convnext_tiny``, ``3``, ``null`` or ``[a, b]``."""
    return _Reader(source, {}).read(text)


def write_text(data: dict[str, JsonValue]) -> str:
    """`data` as YAML that :func:`read_text`, and any other reader of YAML, takes back to the same."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def write_value(value: JsonValue, indent: int = 0) -> str:
    """`value` as it stands after a key and a colon: lists wrapped between items, mappings below the key."""
    margin = f"\n{' ' * (indent + 2)}"
    if isinstance(value, dict) and value:
        return margin + margin.join(write_text(value).rstrip("\n").split("\n"))
    if isinstance(value, list):
        items = [write_value_in_line([item])[1:-1] for item in value]
        whole = f"[{', '.join(items)}]"
        return whole if len(whole) <= 90 else f"[{margin}{_wrap(items, margin)}{margin[:-2]}]"
    return write_value_in_line(value)


def write_value_in_line(value: JsonValue) -> str:
    """`value` on one line, mappings and lists in brackets."""
    text: str = yaml.dump(
        value, Dumper=_OneLine, sort_keys=False, allow_unicode=True, width=10**9, default_flow_style=True
    )
    return text.removesuffix("...\n").rstrip("\n")


def _wrap(items: list[str], margin: str) -> str:
    """Items with commas, a new line wherever the next would pass column 100."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) > 100 - len(margin):
            lines.append("")
        lines[-1] += f"{item}, "
    return margin.join(line.rstrip() for line in lines).rstrip(",")


def _resolvers() -> dict[str | None, list[tuple[str, re.Pattern[str]]]]:
    """Which plain words are not texts: as in YAML's core schema, where ``no`` and ``12:30`` are texts."""
    table: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}
    for tag, pattern, first in (
        (_NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        (_BOOL, r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        (_INT, r"[-+]?(?:0|[1-9][0-9]{0,17})", list("-+0123456789")),
        (
            _FLOAT,
            r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?",
            list("-+.0123456789"),
        ),
    ):
        for letter in first:
            table.setdefault(letter, []).append((tag, re.compile(f"(?:{pattern})$")))
    return table


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = _resolvers()


class _Dumper(yaml.SafeDumper):
    # What either YAML 1.1 or our reader would take for something else than a text is quoted.
    yaml_implicit_resolvers = {
        key: [
            *yaml.SafeDumper.yaml_implicit_resolvers.get(key, []),
            *_Loader.yaml_implicit_resolvers.get(key, []),
        ]
        for key in {*yaml.SafeDumper.yaml_implicit_resolvers, *_Loader.yaml_implicit_resolvers}
    }

    def ignore_aliases(self, data: Any) -> bool:
        """Write shared values out, since the reader takes no aliases."""
        del data
        return True


class _OneLine(_Dumper):
    """Writes a text of several lines in double quotes, on one."""


def _write_string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if "\n" in text or not text.isprintable() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_OneLine.add_representer(str, _write_string)


class _Reader:
    """Reads one text: first its events, which cannot explode, then its values."""

    def __init__(self, source: str, lines: dict[str, int]) -> None:
        self.source = source
        self.lines = lines

    def read(self, text: str) -> JsonValue:
        if len(text.encode("utf-8", "replace")) > LARGEST:
            raise self._refuse(f"it is larger than {LARGEST // 1024} KiB")
        loader: _Loader | None = None
        try:
            self._check_events(text)
            loader = _Loader(text)
            node = loader.get_single_node()
            return None if node is None else self._value(loader, node, "")
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
            said = " ".join(str(getattr(error, "problem", None) or error).split())
            raise self._refuse(f"it is not YAML that can be read ({said})", mark) from None
        finally:
            if loader is not None:
                loader.dispose()

    def _check_events(self, text: str) -> None:
        depth = documents = 0
        for event in yaml.parse(text, Loader=_Loader):
            mark = event.start_mark
            if isinstance(event, yaml.AliasEvent):
                raise self._refuse("aliases (*name) are not allowed: write the value out", mark)
            if getattr(event, "anchor", None) is not None:
                raise self._refuse("anchors (&name) are not allowed: write the value out", mark)
            tag = getattr(event, "tag", None)
            if tag is not None:
                raise self._refuse(
                    f"tags are not allowed, got {tag!r}: a configuration holds plain data only", mark
                )
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEEPEST:
                    raise self._refuse(f"it is nested deeper than {DEEPEST} levels", mark)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refuse("it holds more than one document", mark)

    def _value(self, loader: _Loader, node: yaml.Node, path: str) -> JsonValue:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            found: dict[str, JsonValue] = {}
            for key_node, value_node in node.value:
                key = self._key(key_node)
                inner = join(path, key)
                if key in found:
                    raise self._refuse("the key occurs twice", key_node.start_mark, inner)
                self.lines[inner] = key_node.start_mark.line + 1
                found[key] = self._value(loader, value_node, inner)
            return found
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, item, join(path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value or not node.value.isprintable():
            raise self._refuse("every key must be a text on one line", node.start_mark)
        return str(node.value)

    def _scalar(self, node: yaml.Node, path: str) -> JsonValue:
        text = str(node.value)
        if node.tag == _NULL:
            return None
        if node.tag == _BOOL:
            return text.lower() == "true"
        if node.tag == _INT:
            return int(text)
        if node.tag == _FLOAT:
            number = float(text)
            if not math.isfinite(number):
                raise self._refuse(f"the number {text} is too large", node.start_mark, path)
            return number
        return text

    def _refuse(self, message: str, mark: Any = None, path: str = "") -> ConfigurationError:
        line = mark.line + 1 if mark is not None else None
        return ConfigurationError([Problem(path, message, line=line)], source=self.source)
