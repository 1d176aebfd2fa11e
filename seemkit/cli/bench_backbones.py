"""`seemkit bench --backbone`: one table of backbones, by time, memory and accuracy on given data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import JsonValue

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.failure import RequestError
from seemkit.cli.progress import Progress
from seemkit.results.atomic import replacing

__all__ = ["find_data", "refuse_beside", "show_backbones"]

STDOUT = "-"


def refuse_beside(backbones: Sequence[str], **others: object) -> None:
    """Refuse what does not go with `--backbone`, and what goes only with it.

    Raises:
        RequestError: in one sentence.
    """
    if not backbones:
        raise RequestError("--data and --limit go with --backbone NAME, given once or more", path="backbone")
    for name, value in others.items():
        if value:
            said = name if name.isupper() else f"--{name}"
            way = {
                "size": "; set the size of photos with -s preprocess.long=N",
                "weights": "; give NAME=WEIGHTS",
            }
            raise RequestError(f"{said} does not go with --backbone{way.get(name, '')}", path=name)


def show_backbones(
    backbones: Sequence[str],
    data: Path | None,
    *,
    json_file: str | None,
    markdown: str | None,
    **given: Any,
) -> None:
    """Measure, print the table, and write it where asked."""
    with chatter_aside(), Progress() as progress:
        progress.say("loading torch")
        from seemkit.benchmark.backbones import compare_backbones
        from seemkit.data.open import open_dataset

        opened = None if data is None else open_dataset(find_data(data))
        table = compare_backbones(backbones, opened, say=progress.say, **given)
    text, page = table.model_dump_json(indent=2), table.to_markdown()
    for file, content in ((json_file, text), (markdown, page)):
        if file is not None and file != STDOUT:
            with replacing(file) as out:
                out.write(f"{content}\n".encode())
    click.echo(text if json_file == STDOUT else page)


def find_data(path: Path) -> dict[str, JsonValue]:
    """The data set that a path is: a tar, a folder of tars, or a folder of images and masks."""
    if path.is_file() or any(path.glob("*.tar")):
        return {"use": "tar-pairs", "path": str(path)}
    if (path / "images").is_dir():
        return {"use": "folder", "path": str(path)}
    return {"use": "folder", "path": str(path), "images": ".", "masks_in": "."}
