"""The flags `--export FORMAT[,OPTION=VALUE...]:FILE` and `--format FORMAT[,OPTION=VALUE...]`."""

import re
from typing import TYPE_CHECKING

from seemkit.cli.failure import RequestError

if TYPE_CHECKING:
    from pydantic import JsonValue

    from seemkit.results.export import Export, Format

__all__ = ["read_export", "read_format"]

_FORM = re.compile(r"(?P<form>[^:,=]+)(?P<options>(?:,[^:,=]+=[^:,]*)*)")


def read_export(text: str) -> "Export":
    """The exporter that the value of `--export` names, its options and its file, all checked.

    Raises:
        RequestError: the value is of another form.
        seemkit_registry.RegistryError: no exporter has this name, or an option is wrong.
        SeemkitError: the file cannot be written.
    """
    from seemkit.results.export import plan_export

    form, _, path = text.partition(":")
    match = _FORM.fullmatch(form)
    if match is None or not path:
        raise RequestError(
            f"--export {text!r} is not of the form FORMAT:FILE, such as coco:masks.json; options go before the "
            "colon, as in yolo,simplify=0:photo.txt",
            path="--export",
        )
    return plan_export(match["form"].strip(), path, _options(match["options"], f"--export {text}"))


def read_format(text: str) -> "Format":
    """The exporter that the value of `--format` names, and its options, checked.

    Raises:
        RequestError: the value is of another form.
        seemkit_registry.RegistryError: no exporter has this name, or an option is wrong.
    """
    from seemkit.results.export import choose_format

    match = _FORM.fullmatch(text)
    if match is None:
        raise RequestError(
            f"--format {text!r} is not of the form FORMAT or FORMAT,OPTION=VALUE, such as coco or yolo,simplify=0",
            path="--format",
        )
    return choose_format(match["form"].strip(), _options(match["options"], f"--format {text}"))


def _options(text: str, source: str) -> "dict[str, JsonValue]":
    from seemkit.assembly.document import parse_value

    pairs = [pair.partition("=") for pair in text.split(",")[1:]]
    options = {name.strip(): parse_value(value, source) for name, _, value in pairs}
    if "use" in options:
        raise RequestError(f"{source}: the format is what stands first, not an option", path="use")
    return options
