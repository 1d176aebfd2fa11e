"""Holds names of components and their options against what is installed, and collects what is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, JsonValue, ValidationError

from seemkit.choice.slot import NoOptions, Slot
from seemkit.choice.wording import field_names, in_words, join, show
from seemkit.errors import SeemkitError
from seemkit.host import registry as host_registry
from seemkit_registry import Name, PluginQuarantined, Registry, RegistryError, nearest
from seemkit_registry.errors import ConfigurationError, Problem
from seemkit_registry.fault import describe_exception, one_line

__all__ = ["Choices", "choose", "refuse_options"]


@dataclass
class Choices:
    """Choices out of what is installed.

    Attributes:
        registry: of the components.
        lines: line of each path in the file that they stand in, counted from 1.
        problems: what is wrong with them so far.
        prefer: which distribution a bare name means, by kind and name.
    """

    registry: Registry
    lines: Mapping[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    prefer: dict[str, dict[str, str]] = field(default_factory=dict)

    def choose(self, path: str, kind: str, given: JsonValue) -> Slot | None:
        """The component of `kind` that a name, or a mapping with `use` and options, chooses; None if it is wrong."""
        if isinstance(given, str):
            use, options, where = given, {}, path
        elif isinstance(given, dict):
            options = {key: value for key, value in given.items() if key != "use"}
            chosen, where = given.get("use"), join(path, "use")
            if not isinstance(chosen, str):
                self.add(where, f"it names no component: write 'use: NAME' with one of the {kind}")
                return None
            use = chosen
        else:
            self.add(
                path, f"got {show(given)}, expected the name of one of the {kind} or a mapping with 'use'"
            )
            return None
        try:
            Name.parse(use, kind=kind)
            component = self.registry.resolve(kind, use, self.prefer)
            found = self.registry.load(component)
        except RegistryError as error:
            self.add_error(where, error)
            return None
        model = getattr(found, "Options", NoOptions)
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            self.add(where, f"{component.qualified!r} declares Options that are no pydantic model")
            return None
        settings = self._check_options(path, use, model, options)
        if settings is None:
            return None
        return Slot(use=use, component=component.qualified, settings=settings)

    def check_version(self, version: JsonValue, expected: int, *, needed: bool) -> None:
        """Hold the version of the form that data names under `seemkit` against the one that is read."""
        if version is None and needed:
            self.add("seemkit", f"the version of the form is missing; write 'seemkit: {expected}'")
        elif version is not None and (version != expected or isinstance(version, bool)):
            self.add("seemkit", f"got version {version!r} of the form, this seemkit reads {expected}")

    def _check_options(
        self, path: str, use: str, model: type[BaseModel], options: dict[str, JsonValue]
    ) -> BaseModel | None:
        names = field_names(model)
        unknown = (
            []
            if model.model_config.get("extra") == "forbid"
            else [key for key in options if key not in names]
        )
        for key in unknown:
            self.add(join(path, key), f"{use!r} has no option {key!r}", nearest(key, names))
        try:
            settings = model.model_validate({key: options[key] for key in options if key not in unknown})
        except ValidationError as error:
            self.translate(error, model, path, names, owner=use)
            return None
        except Exception as error:  # a validator of the plugin
            self.add(path, f"the options of {use!r} could not be checked ({describe_exception(error)[0]})")
            return None
        return None if unknown else settings

    def translate(
        self,
        error: ValidationError,
        model: type[BaseModel],
        prefix: str,
        names: Sequence[str],
        owner: str = "",
    ) -> None:
        """Enter every line of a pydantic error as a problem in our words."""
        for path, message, suggestions in in_words(error, model, prefix, names, owner):
            self.add(path, message, suggestions)

    def add_error(self, path: str, error: RegistryError) -> None:
        """Enter an error of the registry; a preference that is wrong is not said again."""
        if error.path is None or not error.path.startswith("prefer."):
            meant = error.suggestion if not isinstance(error, PluginQuarantined) else None  # that is no name
            self.add(path, str(error), [meant] if meant else ())

    def add(self, path: str, message: str, suggestions: Sequence[str] = ()) -> None:
        """Enter a problem."""
        line = self.lines.get(path)
        self.problems.append(Problem(path, one_line(message, 600), next(iter(suggestions), None), line))


def choose(
    kind: str, given: JsonValue, registry: Registry | None = None, source: str = "configuration"
) -> Slot:
    """The component of `kind` that a name, or a mapping with `use` and options, chooses.

    Raises:
        ConfigurationError: everything that is wrong with it, with the nearest right names.
    """
    choices = Choices(registry or host_registry())
    slot = choices.choose("", kind, given)
    if slot is None:
        raise ConfigurationError(choices.problems, source=source)
    return slot


def refuse_options(error: ValidationError, model: type[BaseModel], owner: str) -> SeemkitError:
    """The error of one sentence for options of `owner` that its model refuses."""
    path, message, suggestions = next(in_words(error, model, "", field_names(model), owner))
    hint = f"; did you mean {suggestions[0]!r}?" if suggestions else ""
    return SeemkitError(
        f"{owner}: {path or 'its options'}: {message}{hint}",
        path=path or None,
        suggestion=suggestions[0] if suggestions else None,
    )
