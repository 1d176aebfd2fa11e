"""The flag `--export FORMAT[,OPTION=VALUE...]:FILE`."""

import re
from typing import TYPE_CHECKING

from seemkit.cli.failure import RequestError

if TYPE_CHECKING:
    from seemkit.results.export import Export

__all__ = ["read_export"]

_FORM = re.compile(r"(?P<form>[^:,=]+)(?P<options>(?:,[^:,=]+=[^:,]*)*):(?P<path>.+)")


def read_export(text: str) -> "Export":
    """The exporter that the value of a flag names, its options and its file, all checked.

    Raises:
        RequestError: the value is of another form.
        seemkit_registry.RegistryError: no exporter has this name, or an option is wrong.
        SeemkitError: the file cannot be written.
    """
    from seemkit.assembly.document import parse_value
    from seemkit.results.export import plan_export

    match = _FORM.fullmatch(text)
    if match is None:
        raise RequestError(
            f"--export {text!r} is not of the form FORMAT:FILE, such as coco:masks.json; options go before the "
            "colon, as in yolo,simplify=0:photo.txt",
            path="--export",
        )
    pairs = [pair.partition("=") for pair in match["options"].split(",")[1:]]
    options = {name.strip(): parse_value(value, f"--export {text}") for name, _, value in pairs}
    if "use" in options:
        raise RequestError(
            f"--export {text!r}: the format is what stands first, not an option", path="--export"
        )
    return plan_export(match["form"].strip(), match["path"], options)
