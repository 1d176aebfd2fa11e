"""`seemkit demo`: a real photo, segmented by every kind of prompt, on one contact sheet."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import ModelChoice, model_options, read_words, vocabulary_option
from seemkit.cli.progress import Progress
from seemkit.cli.prompt_flags import Given, PromptCommand
from seemkit.cli.prompt_values import check_prompts, read_prompts

if TYPE_CHECKING:
    from seemkit.demo.show import Show

__all__ = ["demo"]


@click.command(cls=PromptCommand)
@click.argument("photo", required=False)
@click.option(
    "-o",
    "--output",
    "out",
    metavar="SHEET.png",
    default="seemkit-demo.png",
    show_default=True,
    help="Where the contact sheet goes.",
)
@vocabulary_option("Names that labels are chosen from")
@model_options
def demo(
    photo: str | None, given: Sequence[Given], out: str, vocabulary: str | None, choice: ModelChoice
) -> None:
    """Segment a real photo by every kind of prompt, on one contact sheet.

    PHOTO is motorcycle (the default), astronaut, cat or coffee, which scikit-image carries, or a photo of
    your own, where a click in the middle, or your prompts, show the way.
    """
    from seemkit.demo.photos import PHOTOS
    from seemkit.demo.show import Show
    from seemkit.imaging.load import load_image
    from seemkit.results.atomic import replacing

    file, known = _find_photo(photo)
    target = _check_target(out, file)
    prompts = read_prompts(given)
    with chatter_aside(), Progress() as progress:
        progress.say(f"reading {file}")
        pixels = load_image(file)
        check_prompts(given, prompts, (pixels.shape[0], pixels.shape[1]))
        progress.say(f"loading {choice.assembly}")
        model = choice.load()
        progress.say(f"encoding {Path(file).name}")
        names = read_words(vocabulary) or (PHOTOS[known].vocabulary if known else None)
        show = Show(model, pixels, names, progress.say)
        if known and not prompts:
            show.run_known(PHOTOS[known])
        else:
            show.run_own(prompts)
        if not show.answers:
            raise RequestError("; ".join(f"{each.title}: {each.reason}" for each in show.left_out))
        progress.say("drawing the sheet")
        by = model.assembly.name if model.assembly is not None else choice.assembly
        picture = show.sheet(f"seemkit demo: {Path(file).name} by {by}")
        with replacing(target) as stream:
            picture.save(stream, "PNG")
    _print(show, file, target)


def _find_photo(photo: str | None) -> tuple[str, str | None]:
    """The file of the photo, and the name that the demo knows it by; a file comes before a name."""
    from seemkit.demo.photos import DEFAULT, PHOTOS, find_file
    from seemkit_registry.suggestion import nearest

    name = photo if photo is not None else DEFAULT
    if photo is not None and Path(photo).exists():
        return photo, None
    if name in PHOTOS:
        return str(find_file(PHOTOS[name].file)), name
    near = nearest(name, PHOTOS)
    if near:
        raise RequestError(f"there is no photo {name!r}; did you mean {near[0]!r}?", suggestion=near[0])
    return name, None  # whoever opens it says what is wrong with it


def _check_target(out: str, photo: str) -> Path:
    from seemkit.results.atomic import check_target

    target = Path(out)
    if target.suffix.lower() != ".png":
        near = str(target.with_suffix(".png"))
        raise RequestError(f"-o {out!r} is not a .png file; did you mean {near!r}?", suggestion=near)
    check_target(target)
    if target.exists() and Path(photo).exists() and target.samefile(photo):
        raise RequestError(f"{out!r} is the photo itself; give another file to write to", path="-o")
    return target


def _print(show: "Show", file: str, target: Path) -> None:
    from seemkit.cli.tables import print_lines, print_table

    rows = []
    for tile in show.answers:
        result = tile.result
        assert result is not None
        for n, name in enumerate(result.objects):
            label = f"{result.labels[n][0][0]} {result.labels[n][0][1]:.0%}" if result.labels[n] else ""
            time = f"{tile.seconds * 1000:.0f} ms" if n == 0 else ""
            rows.append([tile.title if n == 0 else "", name, label, f"{result.scores[n]:.2f}", time])
    print_table(["asked", "object", "label", "score", "round"], rows, right=("score", "round"))
    click.echo()
    height, width = show.scene.size
    print_lines(
        [
            ("photo", f"{file} ({width} x {height})"),
            ("encoded in", f"{show.encode_seconds:.2f} s, once"),
            ("a round took", f"{show.round_seconds * 1000:.0f} ms (median of {len(show.answers)})"),
            *(("left out", f"{each.title}: {each.reason}") for each in show.left_out),
            ("sheet", str(target.resolve())),
        ]
    )
