"""Holds a configuration against what is installed, and collects everything that is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from seemkit.assembly.assembly import SLOTS, VERSION, Assembly, FixedPart
from seemkit.assembly.document import Document, join
from seemkit.assembly.sections import NoOptions, Slot
from seemkit_registry import Name, PluginQuarantined, Registry, RegistryError, nearest, normalise
from seemkit_registry.errors import ConfigurationError, Problem
from seemkit_registry.fault import describe_exception, one_line

__all__ = ["check"]

_DEFAULTS: dict[str, JsonValue] = {"answer_policy": "fused"}


def check(document: Document, registry: Registry) -> Assembly:
    """The assembly that `document` describes; raises :class:`ConfigurationError` with all its problems."""
    return _Check(document, registry).run()


@dataclass
class _Check:
    document: Document
    registry: Registry
    problems: list[Problem] = field(default_factory=list)
    prefer: dict[str, dict[str, str]] = field(default_factory=dict)

    def run(self) -> Assembly:
        data = {**_DEFAULTS, **self.document.data}
        self._check_version(data.pop("seemkit", None))
        fixed = self._check_fixed({key: value for key, value in data.items() if key not in SLOTS})
        self.prefer = fixed.prefer if fixed is not None else _well_formed(data.get("prefer"))
        self._check_preferences()
        slots = {slot: self._check_slot(slot, kind, data.get(slot)) for slot, kind in SLOTS.items()}
        self._check_prompts(data.get("prompts"))
        if self.problems or fixed is None:
            order = {path: index for index, path in enumerate(self.document.lines)}
            self.problems.sort(key=lambda p: (p.line is None, p.line or 0, order.get(p.path, 0)))
            raise ConfigurationError(self.problems, source=self.document.source)
        given = {name: getattr(fixed, name) for name in fixed.model_fields_set}
        assembly = Assembly.model_validate({**given, **slots})
        assembly._weights_folder = self.document.weights_folder
        return assembly

    def _check_version(self, version: JsonValue) -> None:
        if version is None and self.document.file is not None:
            self._add("seemkit", f"the version of the form is missing; write 'seemkit: {VERSION}'")
        elif version is not None and (version != VERSION or isinstance(version, bool)):
            self._add("seemkit", f"got version {version!r} of the form, this seemkit reads {VERSION}")

    def _check_fixed(self, data: Mapping[str, JsonValue]) -> FixedPart | None:
        try:
            return FixedPart.model_validate(data)
        except ValidationError as error:
            self._translate(error, FixedPart, "", [*FixedPart.model_fields, *SLOTS, "extends", "seemkit"])
            return None

    def _check_preferences(self) -> None:
        components = self.registry.components()
        kinds = self.registry.kinds()
        for kind, choices in self.prefer.items():
            if kind not in kinds:
                self._add(f"prefer.{kind}", f"there is no kind of component {kind!r}", nearest(kind, kinds))
                continue
            for name, distribution in choices.items():
                providers = sorted({c.distribution for c in components if c.kind == kind and c.name == name})
                path = f"prefer.{kind}.{name}"
                if not providers:
                    names = {c.name for c in components if c.kind == kind}
                    self._add(path, f"no {kind} component is named {name!r}", nearest(name, names))
                elif normalise(distribution) not in providers:
                    said = (
                        f"the distribution {distribution!r} does not provide it; {', '.join(providers)} does"
                    )
                    self._add(path, said, nearest(distribution, providers) or providers)

    def _check_slot(self, slot: str, kind: str, given: JsonValue) -> Slot | None:
        if given is None:
            self._add(slot, f"it is missing; write '{slot}: NAME' with one of the {kind}")
            return None
        if isinstance(given, str):
            use, options, where = given, {}, slot
        elif isinstance(given, dict):
            options = {key: value for key, value in given.items() if key != "use"}
            chosen, where = given.get("use"), f"{slot}.use"
            if not isinstance(chosen, str):
                self._add(where, f"it names no component: write 'use: NAME' with one of the {kind}")
                return None
            use = chosen
        else:
            self._add(
                slot, f"got {_show(given)}, expected the name of one of the {kind} or a mapping with 'use'"
            )
            return None
        try:
            Name.parse(use, kind=kind)
            component = self.registry.resolve(kind, use, self.prefer)
            found = self.registry.load(component)
        except RegistryError as error:
            self._add_error(where, error)
            return None
        model = getattr(found, "Options", NoOptions)
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            self._add(where, f"{component.qualified!r} declares Options that are no pydantic model")
            return None
        settings = self._check_options(slot, use, model, options)
        if settings is None:
            return None
        return Slot(use=use, component=component.qualified, settings=settings)

    def _check_options(
        self, slot: str, use: str, model: type[BaseModel], options: dict[str, JsonValue]
    ) -> BaseModel | None:
        names = _names_of(model)
        unknown = (
            []
            if model.model_config.get("extra") == "forbid"
            else [key for key in options if key not in names]
        )
        for key in unknown:
            self._add(join(slot, key), f"{use!r} has no option {key!r}", nearest(key, names))
        try:
            settings = model.model_validate({key: options[key] for key in options if key not in unknown})
        except ValidationError as error:
            self._translate(error, model, slot, names, owner=use)
            return None
        except Exception as error:  # a validator of the plugin
            self._add(slot, f"the options of {use!r} could not be checked ({describe_exception(error)[0]})")
            return None
        return None if unknown else settings

    def _check_prompts(self, prompts: JsonValue) -> None:
        for index, name in enumerate(prompts if isinstance(prompts, list) else []):
            if not isinstance(name, str):
                continue
            try:
                Name.parse(name, kind="prompts")
                self.registry.resolve("prompts", name, self.prefer)
            except RegistryError as error:
                self._add_error(join("prompts", index), error)

    def _translate(
        self,
        error: ValidationError,
        model: type[BaseModel],
        prefix: str,
        names: Sequence[str],
        owner: str = "",
    ) -> None:
        """Enter every line of a pydantic error as a problem in our words."""
        for line in error.errors():
            path = prefix
            for part in line["loc"]:
                path = join(path, part)
            if line["type"] == "extra_forbidden":
                key = str(line["loc"][-1])
                inner = len(line["loc"]) > 1
                near = nearest(key, _names_of(_model_at(model, line["loc"][:-1])) if inner else names)
                kind = f"{owner!r} has no option" if owner and not inner else "there is no field"
                self._add(path, f"{kind} {key!r}", near)
            else:
                self._add(path, *_in_words(line))

    def _add_error(self, path: str, error: RegistryError) -> None:
        if error.path is None or not error.path.startswith(
            "prefer."
        ):  # preferences have been checked already
            meant = error.suggestion if not isinstance(error, PluginQuarantined) else None  # that is no name
            self._add(path, str(error), [meant] if meant else ())

    def _add(self, path: str, message: str, suggestions: Sequence[str] = ()) -> None:
        line = self.document.lines.get(path)
        self.problems.append(Problem(path, one_line(message, 600), next(iter(suggestions), None), line))


def _well_formed(prefer: JsonValue) -> dict[str, dict[str, str]]:
    """What can be used of preferences in a document that has other problems."""
    found: dict[str, dict[str, str]] = {}
    for kind, choices in prefer.items() if isinstance(prefer, dict) else ():
        if isinstance(choices, dict):
            found[kind] = {name: choice for name, choice in choices.items() if isinstance(choice, str)}
    return found


def _in_words(line: ErrorDetails) -> tuple[str, Sequence[str]]:
    """A pydantic error as part of a sentence, and what was probably meant."""
    context = line.get("ctx", {})
    given = line["input"]
    if line["type"] == "missing":
        return "it is missing", ()
    if line["type"] in ("value_error", "assertion_error"):
        cause = context.get("error")
        suggestion = getattr(cause, "suggestion", None)
        said = str(cause)
        shown = _show(given)
        message = said if shown in said else f"got {shown}: {said}"
        return message, [suggestion] if isinstance(suggestion, str) else ()
    said = line["msg"].replace("Input should be", "expected").replace("Input should", "it should")
    if line["type"] == "literal_error" and isinstance(given, str):
        choices = str(context.get("expected", "")).replace(" or ", ", ").split(", ")
        return f"got {_show(given)}, {said}", nearest(given, [choice.strip("'") for choice in choices])
    return f"got {_show(given)}, {said[:1].lower()}{said[1:]}", ()


def _show(value: object) -> str:
    try:
        return one_line(repr(value), 80)
    except Exception:
        return f"a {type(value).__name__}"


def _names_of(model: type[BaseModel] | None) -> list[str]:
    fields = model.model_fields if model is not None else {}
    return [field.alias or name for name, field in fields.items()]


def _model_at(model: type[BaseModel] | None, loc: Sequence[str | int]) -> type[BaseModel] | None:
    """The model whose fields lie at `loc` inside `model`, if it is plain to see."""
    for part in loc:
        if model is None or part not in model.model_fields:
            return None
        annotation = model.model_fields[str(part)].annotation
        options = [annotation, *get_args(annotation)]
        model = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
    return model
