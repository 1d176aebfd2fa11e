"""`seemkit track`: prompts on the first frame of a video, masks on every frame."""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import ModelChoice, model_options, split_words
from seemkit.cli.progress import Progress
from seemkit.cli.prompt_flags import Given, PromptCommand
from seemkit.cli.prompt_values import check_prompts, read_prompts

if TYPE_CHECKING:
    from seemkit.imaging.frames import Frames
    from seemkit.pipeline.model import Model
    from seemkit.prompting.prompt import Prompt
    from seemkit.result import Result
    from seemkit.results.export import Format

__all__ = ["track"]

STDOUT = "-"
USUAL = "indexed,number=object"
"""The format of the masks if none is asked for: objects keep their numbers from frame to frame."""


@click.command(cls=PromptCommand)
@click.argument("clip")
@click.option(
    "-o", "--output", "out", metavar="DIR", help="Folder for a file of each frame; made if it is not there."
)
@click.option(
    "--format",
    "formats",
    metavar="FORMAT",
    multiple=True,
    help=f"Format of these files, such as overlay or coco; may be given often. By default {USUAL}.",
)
@click.option(
    "--json", "json_file", metavar="FILE|-", help="Write a line of JSON a frame; - is standard output."
)
@click.option("--vocabulary", metavar="A,B,...", help="Names that labels are chosen from, such as dog,cat.")
@click.option("--no-memory", is_flag=True, help="Do not hand the masks of a frame on to the next.")
@click.option("--every", type=click.IntRange(1), default=1, metavar="N", help="Take every N-th frame only.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Stop after so many frames.")
@model_options
def track(
    clip: str,
    given: Sequence[Given],
    out: str | None,
    formats: tuple[str, ...],
    json_file: str | None,
    vocabulary: str | None,
    no_memory: bool,
    every: int,
    limit: int | None,
    choice: ModelChoice,
) -> None:
    """Follow objects through the frames of a video.

    CLIP is a folder of images, in the order of their names, or a video file (MP4, MOV, Matroska, WebM, AVI,
    GIF), for which the extra `video` is needed. The prompts are for the first frame, in its pixels. Files are
    named after the images, or by the number of the frame. One frame is held at a time.
    """
    if not given:
        raise RequestError("no prompt was given; give at least one, for the first frame", path="prompts")
    if formats and out is None:
        raise RequestError("--format needs a folder for the files; give -o DIR", path="--format")
    chosen = _read_formats(formats or ((USUAL,) if out is not None else ()))
    prompts = read_prompts(given)
    _check_targets(clip, out, json_file)
    with chatter_aside(), Progress() as progress:
        progress.say(f"opening {clip}")
        from seemkit.imaging.frames import open_frames

        frames = open_frames(clip, every=every, limit=limit)
        with closing(frames.read()) as ahead:
            first = next(ahead, None)
        if first is None:
            raise RequestError(f"{clip!r} holds no frame", path="CLIP")
        check_prompts(given, prompts, (first.pixels.shape[0], first.pixels.shape[1]))
        progress.say(f"loading {choice.assembly}")
        model = choice.load()
        results = _follow(model, frames, prompts, split_words(vocabulary), not no_memory, progress)
        rows = _write(results, out, chosen, json_file)
    _say(rows, out, json_file)
    read = len({row[0] for row in rows})
    if frames.count is not None and read < frames.count:
        click.echo(
            f"{clip}: {read} frames could be read of the {frames.count} that it says to have", err=True
        )


def _read_formats(texts: Sequence[str]) -> "list[Format]":
    """The exporters of the flags; two that would write the same files are refused."""
    from seemkit.cli.export_flag import read_format

    found = [read_format(text) for text in texts]
    for place, each in enumerate(found):
        for other in found[:place]:
            if each.suffix == other.suffix:
                names = f"{other.slot.use!r} and {each.slot.use!r}"
                raise RequestError(
                    f"the formats {names} both write {each.suffix} files; run it once for each",
                    path="--format",
                )
    return found


def _check_targets(clip: str, out: str | None, json_file: str | None) -> None:
    """Refuse what could not be written in the end, or would replace the frames."""
    from seemkit.results.atomic import check_target

    if json_file is not None and json_file != STDOUT:
        check_target(Path(json_file))
    if out is None:
        return
    target = Path(out)
    if target.exists() and not target.is_dir():
        raise RequestError(f"-o {out!r} is a file; give a folder for the files of the frames", path="-o")
    if target.resolve() == Path(clip).resolve():
        raise RequestError(f"-o {out!r} is the folder of the frames; give another", path="-o")


def _follow(
    model: "Model",
    frames: "Frames",
    prompts: "Sequence[Prompt]",
    vocabulary: list[str] | None,
    memory: bool,
    progress: Progress,
) -> "Iterator[tuple[str, str, Result]]":
    """The name of each frame, the photo that it is or would be, and its result."""
    objects: dict[str, list[Prompt]] = {}
    for prompt in prompts:
        objects.setdefault(prompt.object, []).append(prompt)
    names: deque[tuple[str, str]] = deque()
    of_how_many = f" of {frames.count}" if frames.count is not None else ""

    def pixels() -> "Iterator[object]":
        for number, frame in enumerate(frames, start=1):
            progress.say(f"following through frame {number}{of_how_many}")
            names.append((frame.name, frame.file or f"{frame.name}.jpg"))
            yield frame.pixels

    results = model.track(pixels(), objects, vocabulary=vocabulary, memory=memory)  # type: ignore[arg-type]
    for result in results:
        yield *names.popleft(), result


def _write(
    results: "Iterator[tuple[str, str, Result]]",
    out: str | None,
    formats: "Sequence[Format]",
    json_file: str | None,
) -> list[list[str]]:
    """Write what was asked for, frame by frame; the rows of a table if nothing was."""
    from seemkit.results.atomic import replacing

    to_file = json_file is not None and json_file != STDOUT
    lines: AbstractContextManager[IO[bytes] | None] = (
        replacing(json_file) if to_file and json_file else nullcontext()
    )
    rows: list[list[str]] = []
    with lines as file:
        for name, photo, result in results:
            if out is not None:
                _make(Path(out))
                for each in formats:
                    each.write(result, Path(out) / f"{name}{each.suffix}", photo=photo)
            if json_file is not None:
                line = json.dumps({"frame": name, **result.to_dict()}, allow_nan=False, ensure_ascii=False)
                if file is None:
                    click.echo(line)
                else:
                    file.write(f"{line}\n".encode())
            rows += _rows(name, result)
    return rows


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            f"the folder {str(folder)!r} cannot be made: {error.strerror}", path="-o"
        ) from error


def _rows(name: str, result: "Result") -> Iterator[list[str]]:
    height, width = result.size
    for n, annotation in enumerate(result.to_coco()):
        share = annotation["area"] / (height * width)
        yield [name, result.objects[n], f"{result.scores[n]:.2f}", f"{share:.1%}" if share else "lost"]


def _say(rows: list[list[str]], out: str | None, json_file: str | None) -> None:
    """What was written, or a table of what was found."""
    from seemkit.cli.tables import print_table

    if out is None and json_file is None:
        print_table(["frame", "object", "score", "area"], rows, right=("score", "area"))
        return
    frames = len({row[0] for row in rows})
    for name in filter(None, (out, json_file)):
        if name != STDOUT:
            click.echo(f"{name}: {frames} frame{'s' * (frames != 1)}", err=json_file == STDOUT)
