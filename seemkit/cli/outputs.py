"""Where results go: files that are checked before any work and written whole, standard output, or a table."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seemkit.cli.failure import RequestError

if TYPE_CHECKING:
    from seemkit.result import Result
    from seemkit.results.export import Export

__all__ = ["Outputs", "output_options"]

STDOUT = "-"


@dataclass(frozen=True)
class Outputs:
    """What to write.

    Attributes:
        file: an overlay, JSON or arrays, by the suffix.
        json_file: a file for JSON, or ``-`` for standard output.
        exports: files of other formats, each FORMAT:PATH.
    """

    file: str | None = None
    json_file: str | None = None
    exports: tuple[str, ...] = ()

    @property
    def files(self) -> list[str]:
        """The files among what is to be written."""
        return [name for name in (self.file, self.json_file) if name is not None and name != STDOUT]

    def check(self, photo: str, *, pixels: bool = True) -> None:
        """Refuse what could not be written in the end, before any work.

        Args:
            photo: the input, which is never replaced.
            pixels: False if there will be none to draw on.
        """
        from seemkit.results.atomic import check_target
        from seemkit.results.save import check_suffix

        files = [Path(name) for name in self.files]
        every = [*files, *(export.path for export in self._exports())]
        for path in every:
            if path.exists() and Path(photo).exists() and path.samefile(photo):
                raise RequestError(f"{str(path)!r} is the photo itself; give another file to write to")
            check_target(path)
        if len(files) == 2 and files[0].resolve() == files[1].resolve():
            raise RequestError(f"-o and --json both name {str(files[0])!r}; give two files")
        for place, path in enumerate(every):
            if path.resolve() in [other.resolve() for other in every[:place]]:
                raise RequestError(f"--export names {str(path)!r} a second time; give another file")
        if self.file is not None:
            check_suffix(files[0])
            if not pixels and files[0].suffix.lower() not in (".json", ".npz"):
                raise RequestError(
                    f"-o {self.file} would be drawn on the photo, which a scene file does not hold; write "
                    f"{files[0].with_suffix('.npz').name!r} or {files[0].with_suffix('.json').name!r}"
                )

    def write(self, result: "Result", photo: str, asked: Mapping[str, str] | None = None) -> None:
        """Write the files that were asked for and say so; without any, print a table.

        Args:
            result: what was found.
            photo: the input.
            asked: what was asked for, by object.
        """
        from seemkit.cli.tables import print_result
        from seemkit.results.atomic import replacing

        if self.file is None and self.json_file is None and not self.exports:
            print_result(result, asked)
            return
        if self.file is not None:
            result.save(self.file)
        if self.json_file is not None:
            text = json.dumps(result.to_dict(), allow_nan=False)
            if self.json_file == STDOUT:
                click.echo(text)
            else:
                with replacing(self.json_file) as file:
                    file.write(f"{text}\n".encode())
        exported = [str(path) for e in self._exports() for path in e.write(result, Path(photo).name)]
        for name in [*self.files, *exported]:
            click.echo(f"{name}: {len(result)} mask{'s' * (len(result) != 1)}", err=self.json_file == STDOUT)

    def _exports(self) -> "list[Export]":
        if not self.exports:
            return []
        from seemkit.cli.export_flag import read_export

        return [read_export(text) for text in self.exports]


def output_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add `-o`, `--json` and `--export`; the function gets `outputs`."""

    @wraps(function)
    def packed(
        *args: Any, out: str | None, json_file: str | None, exports: tuple[str, ...], **rest: Any
    ) -> None:
        function(*args, outputs=Outputs(out, json_file, exports), **rest)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed


_OPTIONS = (
    click.option(
        "-o",
        "--output",
        "out",
        metavar="FILE",
        help="Write the photo with masks (.png, .jpg, .webp), arrays (.npz) or JSON (.json).",
    ),
    click.option(
        "--json",
        "json_file",
        metavar="FILE|-",
        help="Write JSON with masks as run lengths; - is standard output.",
    ),
    click.option(
        "--export",
        "exports",
        metavar="FORMAT:FILE",
        multiple=True,
        help="Write a file of another format, such as coco:masks.json or yolo,simplify=0:photo.txt; may be given "
        "often. 'seemkit plugins exporters' lists the formats.",
    ),
)
