"""One-file plugins of the command line: `--plugin lasso.py`."""

import inspect
from collections.abc import Iterable

from seemkit.cli.chatter import chatter_aside
from seemkit.host import registry
from seemkit.prompting.prompt import SpatialPrompt, TokenPrompt

__all__ = ["load_plugins"]


def load_plugins(files: Iterable[str]) -> None:
    """Run each file and add the components that it declares.

    A prompt type of the file is found by itself; anything else says what it is by an attribute such as
    ``component = ("backbones", "tiny")``.

    Raises:
        seemkit_registry.RegistryError: no such file, it declares nothing usable, or it raised.
    """
    with chatter_aside():
        for file in files:
            registry().load_file(file, _classify)


def _classify(value: object) -> tuple[str, str] | None:
    """A prompt type goes by its JSON `type`; its helpers and abstract bases are no components."""
    if not (isinstance(value, type) and issubclass(value, SpatialPrompt | TokenPrompt)):
        return None
    if inspect.isabstract(value) or value.__name__.startswith("_"):
        return None
    given = value.model_fields["type"].default
    return "prompts", given if isinstance(given, str) else value.__name__.lower()
