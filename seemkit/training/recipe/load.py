"""Reads a recipe by name, from a YAML file or from plain data, and checks all of it at once."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue, ValidationError

from seemkit.assembly.document import Document
from seemkit.assembly.inheritance import expand
from seemkit.assembly.overrides import override
from seemkit.assembly.shipped import Shipped
from seemkit.choice import Choices
from seemkit.host import registry as host_registry
from seemkit.training.recipe.recipe import VERSION, Recipe, Source
from seemkit_registry import Registry
from seemkit_registry.errors import ConfigurationError

__all__ = ["load_recipe", "recipe_names", "recipe_summaries"]

SHIPPED = Shipped("recipes", "a recipe")


def load_recipe(
    source: str | Path | Mapping[str, JsonValue],
    overrides: Mapping[str, JsonValue] | None = None,
    *,
    data: str | Path | None = None,
    registry: Registry | None = None,
) -> Recipe:
    """The recipe that `source` describes, its data sets and their options checked; nothing of them is opened.

    Args:
        source: the name of a recipe that seemkit brings, the path of a ``.yaml`` file, or plain data.
        overrides: dotted paths and values, such as ``{"run.steps": 200}``; a text is read as YAML.
        data: what relative paths of the sources start from; by default the folder of the recipe's file.
        registry: of data sets.

    Raises:
        UnknownComponent: no recipe has this name; with the nearest that has.
        ConfigurationError: everything that is wrong with it, each with its path and the nearest right name.
    """
    document = expand(_open(source), SHIPPED.read)
    if overrides:
        document = override(document, overrides)
    folder = document.file.parent if document.file is not None and not _is_bundled(document.file) else Path()
    return _check(document, Path(data) if data is not None else folder, folder, registry or host_registry())


def recipe_names() -> list[str]:
    """Names of the recipes that seemkit brings, sorted."""
    return SHIPPED.names()


def recipe_summaries() -> dict[str, str]:
    """What each of them is for, in a sentence, by name; nothing is checked."""
    return {name: str(SHIPPED.read(name).data.get("summary", "")) for name in recipe_names()}


def _check(document: Document, data: Path, folder: Path, registry: Registry) -> Recipe:
    choices = Choices(registry, document.lines)
    plain = dict(document.data)
    choices.check_version(plain.pop("seemkit", None), VERSION, needed=document.file is not None)
    recipe: Recipe | None = None
    try:
        recipe = Recipe.model_validate(plain)
    except ValidationError as error:
        choices.translate(error, Recipe, "", [*Recipe.model_fields, "extends", "seemkit"])
    section = plain.get("data")
    given = section.get("sources") if isinstance(section, dict) else None
    sources = [
        _source(choices, f"data.sources[{place}]", each, data)
        for place, each in enumerate(given if isinstance(given, list) else ())
    ]
    if choices.problems or recipe is None:
        choices.problems.sort(key=lambda p: (p.line is None, p.line or 0))
        raise ConfigurationError(choices.problems, source=document.source)
    recipe._sources = tuple(each for each in sources if each is not None)
    recipe._folder = folder
    return recipe


def _source(choices: Choices, path: str, given: JsonValue, data: Path) -> Source | None:
    """One data set; a relative `path` among its options starts from `data`."""
    own: dict[str, JsonValue] = {}
    if isinstance(given, dict):
        given = dict(given)
        own = {key: given.pop(key) for key in Source.own() if key in given}
        where = given.get("path")
        if isinstance(where, str):
            given["path"] = str(data / where)
    elif isinstance(given, str):
        given = {"use": given, "path": str(data)}
    slot = choices.choose(path, "datasets", given)
    if slot is None:
        return None
    try:
        return Source.model_validate({"slot": slot, **own})
    except ValidationError as error:
        choices.translate(error, Source, path, list(Source.model_fields))
        return None


def _open(source: str | Path | Mapping[str, JsonValue]) -> Document:
    return Document(dict(source), "recipe") if isinstance(source, Mapping) else SHIPPED.open(source)


def _is_bundled(file: Path) -> bool:
    return file in SHIPPED.files().values()
