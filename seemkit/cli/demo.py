"""`seemkit demo`: a real photo, segmented by every kind of prompt, on one contact sheet."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import ModelChoice, model_options, split_words
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
@click.option("--vocabulary", metavar="A,B,...", help="Names that labels are chosen from, such as dog,cat.")
@model_options
def demo(
    photo: str | None, given: Sequence[Given], out: str, vocabulary: str | None, choice: ModelChoice
) -> None:
    """Segment a real photo by every kind of prompt, on one contact sheet.

    PHOTO is astronaut (the default), coffee or motorcycle, which scikit-image carries, or a photo of your own, where
    a click in the middle, or your prompts, show the way.
    """
    from seemkit.demo.photos import DEFAULT, PHOTOS, find_file
    from seemkit.results.atomic import check_target, replacing
    from seemkit_registry.suggestion import nearest

    target = Path(out)
    if target.suffix.lower() != ".png":
        raise RequestError(f"-o {out!r} is not a .png file; write {target.with_suffix('.png').name!r}", path="-o")
    check_target(target)
    prompts = read_prompts(given)
    name = photo or DEFAULT
    known = PHOTOS.get(name) if not Path(name).exists() else None
    if known is None and (near := nearest(name, PHOTOS)) and not Path(name).exists():
        raise RequestError(f"there is no photo {name!r}; did you mean {near[0]!r}?", suggestion=near[0])
    file = str(find_file(known.file)) if known is not None else name
    if known is None and target.exists() and Path(file).exists() and target.samefile(file):
        raise RequestError(f"{out!r} is the photo itself; give another file to write to", path="-o")
    with Progress() as progress:
        from seemkit.imaging.load import load_image

        progress.say(f"reading {file}")
        pixels = load_image(file)
        check_prompts(given, prompts, (pixels.shape[0], pixels.shape[1]))
        progress.say(f"loading {choice.assembly}")
        model = choice.load()
        from seemkit.demo.show import Show

        progress.say(f"encoding {Path(file).name}")
        names = split_words(vocabulary) or (known.vocabulary if known is not None else None)
        show = Show(model, pixels, names, progress.say)
        if known is not None and not prompts:
            show.run_known(known)
        else:
            show.run_own(prompts)
        progress.say("drawing the sheet")
        picture = show.sheet(f"seemkit demo: {Path(file).name} by {Path(choice.assembly).stem}")
        with replacing(target) as stream:
            picture.save(stream, "PNG")
    _print(show, file, target)


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
