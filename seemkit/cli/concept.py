"""`seemkit concept`: regions of photos kept in a small file, and found again in others."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.command_family import CommandFamily
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import ModelChoice, model_options, read_words, vocabulary_option
from seemkit.cli.progress import Progress
from seemkit.cli.prompt_flags import Given, PromptCommand
from seemkit.cli.prompt_values import check_prompts, read_prompts

if TYPE_CHECKING:
    from seemkit.concepts.find import Found
    from seemkit.prompting.prompt import Prompt

__all__ = ["concept"]

SUFFIX = ".concept"


@click.group(cls=CommandFamily)
def concept() -> None:
    """Keep what regions of photos are like in a small file, and find it in others.

    A concept file is for the weights that made it. `seemkit segment --concept FILE` takes one too, beside
    other prompts.
    """


@concept.command(cls=PromptCommand)
@click.argument("photo", required=False)
@click.option("-o", "--output", "out", metavar=f"FILE{SUFFIX}", required=True, help="Where the concept goes.")
@click.option(
    "--tokens",
    default="12",
    show_default=True,
    metavar="N|all",
    help="Tokens kept of each region and feature level; 'all' keeps them as they are.",
)
@model_options
def save(photo: str | None, given: Sequence[Given], out: str, tokens: str, choice: ModelChoice) -> None:
    """Keep the regions that prompts select in a concept file.

    Flags that select pixels (--point, --box, ...) are of PHOTO; those of one object are one region.
    --reference IMAGE#... names a region of another photo, and --not-reference what the concept is not like.
    """
    count = _read_tokens(tokens)
    target = _check_target(out)
    references = _references(photo, given)
    with chatter_aside(), Progress() as progress:
        progress.say(f"loading {choice.assembly}")
        model = choice.load()
        progress.say("keeping the regions")
        from seemkit.concepts.make import make_concept

        made = make_concept(model, references, tokens=count, name=target.stem)
        made.save(target)
    apart = sum(not region.include for region in made.regions)
    click.echo(
        f"{out}: {len(made.regions) - apart} region{'s' * (len(made.regions) - apart != 1)}"
        f"{f', and {apart} that it is not' if apart else ''}, {target.stat().st_size / 1000:.1f} kB, "
        f"for the weights of {made.assembly}"
    )


@concept.command(cls=Command)
@click.argument("file", metavar=f"FILE{SUFFIX}")
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO|FOLDER...")
@click.option("-o", "--output", "out", metavar="DIR", help="Write each photo with its mask there, as PNG.")
@click.option("--json", "json_file", metavar="FILE|-", help="Write JSON with masks as run lengths.")
@vocabulary_option("Names that labels are chosen from")
@model_options
def find(
    file: str,
    photos: Sequence[str],
    out: str | None,
    json_file: str | None,
    vocabulary: str | None,
    choice: ModelChoice,
) -> None:
    """Find a concept in photos, those in and below a folder too, and list them by how like it is what was found.

    There is one mask for each photo, whether what was meant is in it or not: that is what the likeness tells,
    the cosine of features, at most 1.
    """
    from seemkit.concept_file import ConceptFile
    from seemkit.results.atomic import check_target

    kept = ConceptFile.load(file)
    names = read_words(vocabulary)
    files = _photos(photos, out)
    folder = _make_folder(out)
    if json_file not in (None, "-"):
        check_target(Path(str(json_file)))
    found: list[Found] = []
    with chatter_aside(), Progress() as progress:
        progress.say(f"loading {choice.assembly}")
        model = choice.load()
        from seemkit.concepts.find import find_concept

        for each in find_concept(model, kept, files, vocabulary=names):
            progress.say(f"looking at photo {len(found) + 1} of {len(files)}")
            found.append(each)
            if each.result is not None and folder is not None:
                target = folder / f"{files[each.file]}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                each.result.save(target)
    _report(kept.name, found, json_file)


def _read_tokens(text: str) -> int | None:
    if text == "all":
        return None
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 1024:
        return int(text)
    raise RequestError(f"--tokens {text!r} is not 'all' or a number from 1 to 1024", path="tokens")


def _check_target(out: str) -> Path:
    from seemkit.results.atomic import check_target

    target = Path(out)
    if target.suffix != SUFFIX:
        near = str(target.with_suffix(SUFFIX)) if target.name else f"mine{SUFFIX}"
        raise RequestError(f"-o {out!r} is not a {SUFFIX} file; did you mean {near!r}?", suggestion=near)
    check_target(target)
    return target


def _references(photo: str | None, given: Sequence[Given]) -> "list[Prompt]":
    """A reference for each object of PHOTO and each `--reference`; checked before a model is loaded."""
    from seemkit.imaging.load import load_image
    from seemkit.prompting.prompt import SpatialPrompt
    from seemkit.prompting.read import prompt_type

    reference = prompt_type("reference", path="concept save")
    prompts = read_prompts([each for each in given if each.flag.kind is not reference])
    references = read_prompts([each for each in given if each.flag.kind is reference and each.include])
    apart = [each for each in given if each.flag.kind is reference and not each.include]
    references += [each.flag.kind.parse(each.text).model_copy(update={"include": False}) for each in apart]
    for each, prompt in zip(
        [each for each in given if each.flag.kind is not reference], prompts, strict=True
    ):
        if not isinstance(prompt, SpatialPrompt):
            raise RequestError(
                f"{each} selects no pixels: a concept is made of regions, such as --box 10,10,200,150 or "
                "--reference IMAGE#point=120,80",
                path=each.flag.name,
            )
    if prompts:
        if photo is None:
            raise RequestError(
                f"{given[0]} needs the photo that it is on: seemkit concept save PHOTO ...", path="PHOTO"
            )
        pixels = load_image(photo)
        spatial = [each for each in given if each.flag.kind is not reference]
        check_prompts(spatial, prompts, (pixels.shape[0], pixels.shape[1]))
        for name in dict.fromkeys(prompt.object for prompt in prompts):
            own = [prompt for prompt in prompts if prompt.object == name]
            references.append(reference.model_validate({"image": pixels, "prompts": own}))
    elif photo is not None:
        raise RequestError(
            f"nothing says which region of {photo!r} to keep; give a flag such as --box 10,10,200,150",
            path="prompts",
        )
    if not any(each.include for each in references):
        raise RequestError(
            "no region was given; give at least one, such as --reference IMAGE#point=120,80", path="prompts"
        )
    return references


def _photos(given: Sequence[str], out: str | None) -> dict[Path, str]:
    """The photos, and what each is called below the folder that it was found in."""
    from seemkit.imaging.image_files import find_images

    files: dict[Path, str] = {}
    for name in given:
        path = Path(name)
        if not path.is_dir():
            files[path] = path.name
            continue
        found = find_images(path, without=None if out is None else Path(out))
        files.update((path / image, image) for image in found.images)
    return files


def _make_folder(out: str | None) -> Path | None:
    if out is None:
        return None
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise RequestError(f"-o {out!r} is a file, expected a folder", path="-o")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _report(name: str, found: "Sequence[Found]", json_file: str | None) -> None:
    """JSON where it is asked for, a table, and a line for each photo that could not be read."""
    from seemkit.cli.tables import print_table
    from seemkit.results.atomic import replacing

    read = [each for each in found if each.result is not None]
    for each in found:
        if each.problem:
            click.echo(f"left out: {each.problem}", err=True)
    if not read:
        raise RequestError(f"none of {len(found)} photos could be read", path="photos")
    ranked = sorted(read, key=lambda each: -each.likeness)
    if json_file is not None:
        text = json.dumps(
            {"concept": name, "photos": [_entry(each) for each in [*ranked, *_left_out(found)]]}
        )
        if json_file == "-":
            click.echo(text)
            return
        with replacing(json_file) as stream:
            stream.write(f"{text}\n".encode())
    rows = [_row(each) for each in ranked]
    labelled = any(row[-1] for row in rows)
    columns = ["photo", "likeness", "score", "area", *(["label"] if labelled else [])]
    print_table(columns, [row[: len(columns)] for row in rows], right=("likeness", "score", "area"))


def _left_out(found: "Sequence[Found]") -> "list[Found]":
    return [each for each in found if each.result is None]


def _entry(found: "Found") -> dict[str, object]:
    if found.result is None:
        return {"photo": str(found.file), "problem": found.problem}
    return {"photo": str(found.file), "likeness": found.likeness, **found.result.to_dict()}


def _row(found: "Found") -> list[str]:
    result = found.result
    assert result is not None
    label = ", ".join(f"{name} {p:.0%}" for name, p in result.labels[0][:2])
    area = f"{result.masks[0].mean():.1%}"
    return [str(found.file), f"{found.likeness:.3f}", f"{result.scores[0]:.2f}", area, label]
