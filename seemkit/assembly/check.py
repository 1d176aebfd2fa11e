"""Holds a configuration against what is installed, and collects everything that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue, ValidationError

from seemkit.assembly.assembly import SLOTS, VERSION, Assembly, FixedPart
from seemkit.assembly.document import Document
from seemkit.choice import Choices, Slot
from seemkit.choice.wording import join, show
from seemkit_registry import Name, Registry, RegistryError, nearest, normalise
from seemkit_registry.errors import ConfigurationError

__all__ = ["check"]

_DEFAULTS: dict[str, JsonValue] = {"answer_policy": "fused"}


def check(document: Document, registry: Registry) -> Assembly:
    """The assembly that `document` describes; raises :class:`ConfigurationError` with all its problems."""
    return _Check(document, registry).run()


@dataclass
class _Check:
    document: Document
    registry: Registry
    choices: Choices = field(init=False)

    def __post_init__(self) -> None:
        self.choices = Choices(self.registry, self.document.lines)

    def run(self) -> Assembly:
        data = {**_DEFAULTS, **self.document.data}
        self.choices.check_version(data.pop("seemkit", None), VERSION, needed=self.document.file is not None)
        fixed = self._check_fixed({key: value for key, value in data.items() if key not in (*SLOTS, "hooks")})
        self.choices.prefer = fixed.prefer if fixed is not None else _well_formed(data.get("prefer"))
        self._check_preferences()
        slots = {slot: self._check_slot(slot, kind, data.get(slot)) for slot, kind in SLOTS.items()}
        hooks = self._check_hooks(data.get("hooks"))
        self._check_prompts(data.get("prompts"))
        if self.choices.problems or fixed is None:
            order = {path: index for index, path in enumerate(self.document.lines)}
            problems = sorted(
                self.choices.problems, key=lambda p: (p.line is None, p.line or 0, order.get(p.path, 0))
            )
            raise ConfigurationError(problems, source=self.document.source)
        given = {name: getattr(fixed, name) for name in fixed.model_fields_set}
        assembly = Assembly.model_validate({**given, **slots, **({"hooks": hooks} if hooks else {})})
        assembly._weights_folder = self.document.weights_folder
        return assembly

    def _check_fixed(self, data: Mapping[str, JsonValue]) -> FixedPart | None:
        try:
            return FixedPart.model_validate(data)
        except ValidationError as error:
            self.choices.translate(
                error, FixedPart, "", [*FixedPart.model_fields, *SLOTS, "hooks", "extends", "seemkit"]
            )
            return None

    def _check_preferences(self) -> None:
        components = self.registry.components()
        kinds = self.registry.kinds()
        for kind, choices in self.choices.prefer.items():
            if kind not in kinds:
                self.choices.add(
                    f"prefer.{kind}", f"there is no kind of component {kind!r}", nearest(kind, kinds)
                )
                continue
            for name, distribution in choices.items():
                providers = sorted({c.distribution for c in components if c.kind == kind and c.name == name})
                path = f"prefer.{kind}.{name}"
                if not providers:
                    names = {c.name for c in components if c.kind == kind}
                    self.choices.add(path, f"no {kind} component is named {name!r}", nearest(name, names))
                elif normalise(distribution) not in providers:
                    said = (
                        f"the distribution {distribution!r} does not provide it; {', '.join(providers)} does"
                    )
                    self.choices.add(path, said, nearest(distribution, providers) or providers)

    def _check_slot(self, slot: str, kind: str, given: JsonValue) -> Slot | None:
        if given is None:
            self.choices.add(slot, f"it is missing; write '{slot}: NAME' with one of the {kind}")
            return None
        return self.choices.choose(slot, kind, given)

    def _check_hooks(self, given: JsonValue) -> list[Slot]:
        if given is None:
            return []
        if not isinstance(given, list):
            self.choices.add("hooks", f"got {show(given)}, expected a list such as [record]")
            return []
        found: dict[str, Slot] = {}
        for index, each in enumerate(given):
            path = join("hooks", index)
            slot = self.choices.choose(path, "hooks", each)
            if slot is not None and slot.component in found:
                self.choices.add(path, f"the hook {slot.use!r} is there already")
            elif slot is not None:
                found[slot.component] = slot
        return list(found.values())

    def _check_prompts(self, prompts: JsonValue) -> None:
        for index, name in enumerate(prompts if isinstance(prompts, list) else []):
            if not isinstance(name, str):
                continue
            try:
                Name.parse(name, kind="prompts")
                self.registry.resolve("prompts", name, self.choices.prefer)
            except RegistryError as error:
                self.choices.add_error(join("prompts", index), error)


def _well_formed(prefer: JsonValue) -> dict[str, dict[str, str]]:
    """What can be used of preferences in a document that has other problems."""
    found: dict[str, dict[str, str]] = {}
    for kind, choices in prefer.items() if isinstance(prefer, dict) else ():
        if isinstance(choices, dict):
            found[kind] = {name: choice for name, choice in choices.items() if isinstance(choice, str)}
    return found
