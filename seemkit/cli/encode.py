"""`seemkit encode`: scenes for the images of a folder, so that each is encoded once."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import ModelChoice, model_options
from seemkit.cli.progress import Progress

if TYPE_CHECKING:
    from seemkit.pipeline.encode_folder import FolderReport

__all__ = ["encode"]

STDOUT = "-"


@click.command(cls=Command)
@click.argument("folder", metavar="DIR")
@click.option(
    "-o", "--output", "out", metavar="DIR", help="Folder for the scenes; by default DIR.scenes beside DIR."
)
@click.option("--json", "json_file", metavar="FILE|-", help="Write the report as JSON; - is standard output.")
@click.option(
    "--batch",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    metavar="N",
    help="Photos of one size that are encoded together.",
)
@model_options
def encode(folder: str, out: str | None, json_file: str | None, batch: int, choice: ModelChoice) -> int:
    """Encode every photo of a folder to scene files.

    The folders below it are looked at too. `seemkit segment DIR.scenes/photo.jpg.scene ...` then answers without
    the image encoder. Run again after an interruption or with new photos: a scene that is there, of the same
    pixels and the same encoder, is kept. What cannot be read is listed in the end, and the exit code is then 1.
    """
    source = Path(folder)
    target = Path(out) if out is not None else source.resolve().with_name(f"{source.resolve().name}.scenes")
    _check(source, target, json_file)
    with chatter_aside(), Progress() as progress:
        progress.say(f"loading {choice.assembly}")
        from seemkit.pipeline.encode_folder import encode_folder

        model = choice.load()

        def tell(done: int, count: int, name: str) -> None:
            progress.say(f"encoding {name} ({done + 1} of {count})")

        report = encode_folder(model, source, target, batch=batch, tell=tell)
    _write(report, json_file)
    return 1 if report.unread else 0


def _check(source: Path, target: Path, json_file: str | None) -> None:
    """Refuse what could not be done in the end, before any work."""
    from seemkit.imaging.image_files import find_images
    from seemkit.results.atomic import check_target

    if target.exists() and not target.is_dir():
        raise RequestError(f"-o {str(target)!r} is a file; give a folder for the scenes", path="-o")
    if target.resolve() == source.resolve():
        raise RequestError(
            f"-o {str(target)!r} is the folder of the photos; give another for the scenes", path="-o"
        )
    if json_file is not None and json_file != STDOUT:
        check_target(Path(json_file))
    find_images(source, without=target)  # refuses a folder that is not there or holds none


def _write(report: "FolderReport", json_file: str | None) -> None:
    from seemkit.cli.tables import print_table
    from seemkit.results.atomic import replacing

    text = json.dumps(report.as_dict(), ensure_ascii=False)
    if json_file == STDOUT:
        click.echo(text)
        return
    if json_file is not None:
        with replacing(json_file) as file:
            file.write(f"{text}\n".encode())
    if report.unread:
        print_table(["could not be read", "why"], [[each.file, each.cause] for each in report.unread])
        click.echo()
    said = [f"{len(report.encoded)} encoded", f"{len(report.kept)} kept"]
    if report.unread:
        said.append(f"{len(report.unread)} could not be read")
    click.echo(f"{report.out}: {', '.join(said)} ({report.seconds:.1f} s)")
