"""`seemkit segment`: prompts on a photo become masks."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import ModelChoice, model_options, read_words, vocabulary_option
from seemkit.cli.outputs import Outputs, output_options
from seemkit.cli.photo import is_scene_file, read_photo
from seemkit.cli.progress import Progress
from seemkit.cli.prompt_flags import Given, PromptCommand, prompt_flags
from seemkit.cli.prompt_values import check_prompts, opens_object, read_prompts, settle_prompts

if TYPE_CHECKING:
    from seemkit.pipeline.segment import Select

__all__ = ["segment"]


@click.command(cls=PromptCommand)
@click.argument("photo")
@output_options
@vocabulary_option("Names that labels are chosen from")
@click.option(
    "--select",
    default="best",
    show_default=True,
    metavar="best|all|parts|K",
    help="Masks of each object: the best, all, nested ones (whole, part, subpart), or K.",
)
@model_options
def segment(
    photo: str,
    given: Sequence[Given],
    outputs: Outputs,
    vocabulary: str | None,
    select: str,
    choice: ModelChoice,
) -> None:
    """Segment what prompts point at in a photo.

    PHOTO is an image file, or a scene that was saved as .scene. Coordinates are x,y in its pixels. Flags
    that put an object into words open an object each, all others share object 1; NAME:VALUE names the object
    instead, as in --point dog:120,80.
    """
    outputs.check(photo, pixels=not is_scene_file(photo))
    wanted, names = _read_select(select), read_words(vocabulary)
    if not given:
        raise RequestError(f"no prompt was given; give at least one{_such_as()}", path="prompts")
    prompts = read_prompts(given)
    with chatter_aside(), Progress() as progress:
        progress.say(f"reading {photo}")
        source, size = read_photo(photo)
        check_prompts(given, prompts, size)
        prompts = settle_prompts(given, prompts)
        check_prompts(given, prompts, size)
        progress.say(f"loading {choice.assembly}")
        model = choice.load()
        progress.say(f"encoding {photo}")
        scene = model.encode(source)
        progress.say("answering the prompts")
        result = model.segment(scene, prompts, vocabulary=names, select=wanted)
    asked = {name: _ask(given, [p.object == name for p in prompts]) for name in {p.object for p in prompts}}
    outputs.write(result, photo, asked)


def _read_select(text: str) -> "Select":
    if text in ("best", "all", "parts"):
        return cast("Select", text)
    if text.isascii() and text.isdigit() and int(text) >= 1:
        return int(text)
    raise RequestError(
        f"--select {text!r} is not 'best', 'all', 'parts' or a number of masks from 1 on", path="select"
    )


def _such_as() -> str:
    usages = [flag.usage() for flag in prompt_flags()]
    shown = next((usage for usage in sorted(usages, key=len) if usage), "")
    return f", such as {shown}" if shown else ""


def _ask(given: Sequence[Given], mine: Sequence[bool]) -> str:
    """What was asked of one object, in a few words: its words as they are, other flags counted."""
    own = [each for each, is_mine in zip(given, mine, strict=True) if is_mine]
    if len(own) == 1 and opens_object(own[0].flag.kind):
        return str(own[0])
    counts = Counter(f"--{'' if each.include else 'not-'}{each.flag.name}" for each in own)
    return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in counts.items())
