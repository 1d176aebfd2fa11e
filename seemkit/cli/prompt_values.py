"""From prompt flags to prompts: which object each belongs to, and whether it fits the photo."""

from collections.abc import Iterator, Sequence

import click

from seemkit.cli.prompt_flags import Given
from seemkit.errors import PromptError, SeemkitError
from seemkit.prompting.flags import split_flag
from seemkit.prompting.prompt import Prompt, TokenPrompt
from seemkit.prompting.read import read_flag

__all__ = ["check_prompts", "opens_object", "read_prompts", "settle_prompts"]

SHARED = "1"
"""The object of flags that name none and open none."""


def opens_object(kind: type[Prompt]) -> bool:
    """Whether each flag of the type that names no object stands for one of its own: it puts it into words."""
    return issubclass(kind, TokenPrompt) and kind.draw in ("text", "audio")


def read_prompts(given: Sequence[Given]) -> list[Prompt]:
    """The prompts of the flags, in their order.

    A flag that names its object (``dog:120,80``) belongs to that. Of the others, one that puts the object
    into words opens an object of its own, numbered; the rest share object 1. Excluding words go with the
    words before them, or else after them, or else with object 1.

    Raises:
        PromptError: a value cannot be read, or an object has nothing that includes.
    """
    objects = list(_objects(given))
    prompts = [
        read_flag(each.flag.kind, each.text, include=each.include, default_object=name)
        for each, name in zip(given, objects, strict=True)
    ]
    _check_includes(given, prompts)
    return prompts


def check_prompts(given: Sequence[Given], prompts: Sequence[Prompt], size: tuple[int, int]) -> None:
    """Raise :class:`PromptError` for the first prompt that does not fit a photo of (H, W) pixels."""
    for each, prompt in zip(given, prompts, strict=True):
        try:
            prompt.check(size)
        except PromptError as error:
            raise PromptError(f"{each}: {error}", path=error.path, suggestion=error.suggestion) from error


def settle_prompts(given: Sequence[Given], prompts: Sequence[Prompt]) -> list[Prompt]:
    """The prompts with files read that they name; what there is to know of that is said on standard error.

    Raises:
        PromptError: a file that one names cannot be read.
    """
    settled = []
    for each, prompt in zip(given, prompts, strict=True):
        try:
            settled.append(prompt.settled())
        except SeemkitError as error:
            raise PromptError(f"{each}: {error}", path=error.path, suggestion=error.suggestion) from error
        if remark := settled[-1].remark():
            click.echo(f"{each}: {remark}", err=True)
    return settled


def _objects(given: Sequence[Given]) -> Iterator[str]:
    """The object of each flag; names in the values are left to `read_flag`."""
    unnamed = [each for each in given if split_flag(each.text)[0] is None]
    worded = any(opens_object(each.flag.kind) and each.include for each in unnamed)
    shared = any(not opens_object(each.flag.kind) for each in unnamed)
    count = 1 if shared else 0
    latest = str(count + 1) if worded else SHARED  # before the first words, those that come
    for each in given:
        if not opens_object(each.flag.kind):
            yield SHARED
            continue
        if each.include and split_flag(each.text)[0] is None:
            count += 1
            latest = str(count)
        yield latest


def _check_includes(given: Sequence[Given], prompts: Sequence[Prompt]) -> None:
    included = {prompt.object for prompt in prompts if prompt.include}
    for each, prompt in zip(given, prompts, strict=True):
        if prompt.object in included:
            continue
        name, value = split_flag(each.text)
        message = f"{each} says what object {prompt.object!r} is not, but nothing says what it is"
        other = next((o for o, p in zip(given, prompts, strict=True) if p.include), None)
        if name is not None or other is None:
            start = f"{name}:..." if name else "..."
            message += f"; add a flag that includes, such as --{each.flag.name} {start}"
        else:
            word, text = split_flag(other.text)
            word = word or "it"
            first = Given(other.flag, True, f"{word}:{text}")
            message += f"; name the object in both: {first} {Given(each.flag, False, f'{word}:{value}')}"
        raise PromptError(message, path=f"objects[{prompt.object}]")
