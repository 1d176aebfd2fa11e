"""`seemkit everything`: a whole photo by a vocabulary, without a prompt."""

from collections.abc import Sequence

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import ModelChoice, model_options, read_words, split_words, vocabulary_option
from seemkit.cli.outputs import Outputs, output_options
from seemkit.cli.photo import is_scene_file, read_photo
from seemkit.cli.progress import Progress

__all__ = ["everything"]


@click.command(cls=Command)
@click.argument("photo")
@output_options
@vocabulary_option("Names to look for")
@click.option(
    "--task",
    type=click.Choice(["panoptic", "instance", "semantic"]),
    default="panoptic",
    show_default=True,
    help="Segments that do not overlap, things one by one, or a name for each pixel.",
)
@click.option("--stuff", metavar="A,B,...", help="Names of it that cannot be counted, such as grass.")
@model_options
def everything(
    photo: str, outputs: Outputs, vocabulary: str | None, task: str, stuff: str | None, choice: ModelChoice
) -> None:
    """Segment everything in a photo over a vocabulary.

    PHOTO is an image file, or a scene that was saved as .scene.
    """
    outputs.check(photo, pixels=not is_scene_file(photo))
    names, uncountable = read_words(vocabulary), split_words(stuff) or []
    if names is not None:
        _check_stuff(uncountable, names)
    with chatter_aside(), Progress() as progress:
        progress.say(f"reading {photo}")
        source, _ = read_photo(photo)
        progress.say(f"loading {choice.assembly}")
        model = choice.load()
        if names is None:
            if model.vocabulary is None:
                raise RequestError(
                    f"{choice.assembly!r} has no vocabulary of its own; give one, as in --vocabulary dog,cat",
                    path="vocabulary",
                )
            _check_stuff(uncountable, model.vocabulary)
        progress.say(f"encoding {photo}")
        scene = model.encode(source)
        progress.say("looking for everything")
        result = model.everything(scene, vocabulary=names, task=task, stuff=uncountable)  # type: ignore[arg-type]
    outputs.write(result, photo)


def _check_stuff(stuff: list[str], names: Sequence[str]) -> None:
    from seemkit_registry.suggestion import nearest

    for name in stuff:
        if name not in names:
            near = nearest(name, names)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise RequestError(f"--stuff {name!r} is not in the vocabulary{hint}", path="stuff")
