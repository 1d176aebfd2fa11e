"""What a backbone is called where several are compared: a component, or a model that one wraps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue

from seemkit.host import registry as host_registry
from seemkit_registry import UnknownComponent, nearest

if TYPE_CHECKING:
    from seemkit.choice import Slot

__all__ = ["BackboneName"]


@dataclass(frozen=True)
class BackboneName:
    """A backbone to compare.

    Attributes:
        name: of a backbone component that needs no options, such as ``focal``; of a model of a component that has
            ``models()``, such as ``resnet18``; or both, ``timm:resnet18``.
        weights: a weights file of the assembly with this backbone; None for what the assembly's own has.
    """

    name: str
    weights: str | None = None

    @classmethod
    def parse(cls, text: str) -> BackboneName:
        """From NAME or NAME=FILE."""
        name, sign, file = text.partition("=")
        return cls(name.strip(), file if sign else None)

    @property
    def said(self) -> str:
        """What tables call it."""
        return self.name if self.weights is None else f"{self.name}={self.weights}"

    def slot(self, own: Slot) -> dict[str, JsonValue]:
        """The slot of an assembly with this backbone; `own` is the assembly's, which is kept if it is the same.

        Raises:
            UnknownComponent: nothing has this name, with the nearest that has.
        """
        same = own.options()
        if self.name in (own.use, same.get("model"), f"{own.use}:{same.get('model')}"):
            return {"use": own.use, **same}
        registry = host_registry()
        names = {component.name for component in registry.components("backbones")}
        before, colon, after = self.name.partition(":")
        if colon and before in names:
            return {"use": before, "model": after}
        if self.name in names or "/" in self.name:
            return {"use": self.name}
        listed: list[str] = []
        for component, found in registry.load_all("backbones"):
            models = getattr(found, "models", None)
            listed = list(models()) if callable(models) else []
            if self.name.partition(".")[0] in listed:
                return {"use": component.qualified, "model": self.name}
            names |= set(listed)
        near = nearest(self.name, names)
        hint = f"; did you mean {near[0]!r}?" if near else "; 'seemkit plugins backbones' lists them"
        raise UnknownComponent(
            f"no backbone and no model of one is called {self.name!r}{hint}",
            kind="backbones",
            name=self.name,
            suggestion=near[0] if near else None,
        )
