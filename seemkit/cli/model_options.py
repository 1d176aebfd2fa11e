"""The flags that say which model answers, and where it runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from seemkit.cli.failure import RequestError

if TYPE_CHECKING:
    from seemkit.pipeline.model import Model

__all__ = [
    "ModelChoice",
    "model_options",
    "read_settings",
    "read_words",
    "settings_flag",
    "settings_option",
    "split_words",
    "vocabulary_option",
]

DEFAULT = "nano"


@dataclass(frozen=True)
class ModelChoice:
    """Which model to load.

    Attributes:
        assembly: the name of a shipped assembly, or the path of a YAML file.
        overrides: options by dotted path.
        weights: a path, "default" for those of the assembly, None for random ones.
        device: "auto", or as torch names devices.
    """

    assembly: str = DEFAULT
    overrides: dict[str, object] = field(default_factory=dict)
    weights: str | None = "default"
    device: str = "auto"

    def load(self) -> "Model":
        """The model. This is where torch is imported."""
        if self.weights == "default":
            self._check_weights()
        from seemkit.pipeline.load import load

        return load(self.assembly, device=self.device, weights=self.weights, overrides=self.overrides or None)

    def _check_weights(self) -> None:
        """Refuse an assembly whose weights are not there, in words of the command line."""
        from seemkit.assembly.load import read_assembly
        from seemkit.assembly.published import published_weights

        document = read_assembly(self.assembly)
        if any(path.split(".")[0] == "weights" for path in self.overrides):
            return
        otherwise = "give --weights FILE, or --weights none for random ones"
        if document.data.get("weights") is None:
            raise RequestError(f"{self.assembly!r} names no weights; {otherwise}", path="weights")
        made = published_weights(document)
        if made is not None and not made.is_file():
            raise RequestError(
                f"the weights of {self.assembly!r} are not here yet; get them with 'seemkit pull "
                f"{self.assembly}', or {otherwise}",
                path="weights",
            )


def model_options(function: Callable[..., int | None]) -> Callable[..., int | None]:
    """Add `--model`, `-s`, `--weights`, `--device` and `--threads`; the function gets a `choice`."""

    @wraps(function)
    def packed(
        *args: Any,
        assembly: str,
        settings: tuple[str, ...],
        weights: str,
        device: str,
        threads: int | None,
        **rest: Any,
    ) -> int | None:
        overrides = read_settings(settings)
        if threads is not None:
            overrides["runtime.threads"] = threads
        file = None if weights == "none" else weights
        return function(*args, choice=ModelChoice(assembly, overrides, file, device), **rest)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed


def read_settings(settings: Sequence[str]) -> dict[str, object]:
    """The overrides that `-s PATH=VALUE` flags ask for, by path."""
    return dict(_split_setting(setting) for setting in settings)


def read_words(words: str | None) -> "Sequence[str] | None":
    """The vocabulary that a flag asks for: ``dog,cat,grass``, or the path of a file that holds one.

    Raises:
        VocabularyError: it names a file that is not there, or that holds no vocabulary.
    """
    from pathlib import Path

    from seemkit.vocabulary_file import SUFFIXES, read_vocabulary

    if words is not None and "," not in words and Path(words).suffix.lower() in SUFFIXES:
        return read_vocabulary(words)
    return split_words(words)


def split_words(words: str | None) -> list[str] | None:
    """The names of ``dog,cat,grass``; None if none were given."""
    return None if words is None else [word.strip() for word in words.split(",")]


def settings_flag(what: str, example: str) -> Callable[..., Callable[..., None]]:
    """The flag `-s`, for :func:`read_settings`; `what` it overrides, and an example of it."""
    return click.option(
        "-s",
        "--set",
        "settings",
        metavar="PATH=VALUE",
        multiple=True,
        help=f"Override {what}, such as {example}; may be given often.",
    )


settings_option = settings_flag("an option of the assembly", "backbone.model=convnext_tiny")
"""The flag `-s` of an assembly."""


def vocabulary_option(purpose: str) -> Callable[..., Callable[..., None]]:
    """The flag `--vocabulary`, for :func:`read_words`; `purpose` begins its help."""
    return click.option(
        "--vocabulary",
        metavar="A,B,...|FILE",
        help=f"{purpose}, such as dog,cat, or a .txt, .json or .yaml file of them.",
    )


_OPTIONS = (
    click.option(
        "-m",
        "--model",
        "assembly",
        metavar="NAME|FILE.yaml",
        default=DEFAULT,
        show_default=True,
        help="An assembly by name, or a YAML file.",
    ),
    settings_option,
    click.option(
        "--weights",
        metavar="FILE|none",
        default="default",
        help="A .safetensors file, or 'none' for random weights; by default those of the assembly.",
    ),
    click.option(
        "--device", metavar="DEVICE", default="auto", show_default=True, help="Such as cpu or cuda:1."
    ),
    click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="Threads of the CPU."),
)


def _split_setting(setting: str) -> tuple[str, object]:
    path, equals, value = setting.partition("=")
    if not equals or not path.strip():
        raise RequestError(
            f"-s {setting!r} is not of the form PATH=VALUE, such as -s preprocess.short=320", path="-s"
        )
    return path.strip(), value
