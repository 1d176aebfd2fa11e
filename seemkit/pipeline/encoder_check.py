"""What a backbone gives, held against what it declared, where it leaves the plugin: before anything builds on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from seemkit.errors import SeemkitError
from seemkit.network.precision import autocast_kind

if TYPE_CHECKING:
    from seemkit.components import BackboneShape
    from seemkit_registry import Component

__all__ = ["MapCheck", "watch_backbone"]


def watch_backbone(backbone: nn.Module, shape: BackboneShape, component: Component) -> None:
    """Refuse, in one sentence that names the plugin, maps that are not those that `shape` declares.

    Args:
        backbone: the module that ``build`` of the component gave; it is the same module afterwards.
        shape: what ``declare`` said.
        component: whose backbone it is.
    """
    if not isinstance(backbone, nn.Module):
        raise SeemkitError(
            f"{_owner(component)} built a {type(backbone).__name__}, expected a torch.nn.Module; "
            f"{_way_out(component)}",
            path="backbone",
        )
    backbone.register_forward_hook(MapCheck(shape, component))


class MapCheck:
    """A forward hook: raises :class:`SeemkitError` for maps that lie about shape, dtype or numbers."""

    def __init__(self, shape: BackboneShape, component: Component) -> None:
        self.shape = shape
        self.component = component

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...], maps: object) -> None:
        """Look at the maps of one forward pass."""
        if torch.compiler.is_compiling():
            return
        wrong = self._find(inputs[0], maps)
        if wrong is not None:
            raise SeemkitError(
                f"{_owner(self.component)} {wrong}; {_way_out(self.component)}", path="backbone"
            )

    def _find(self, image: Tensor, maps: object) -> str | None:
        """What is wrong, as the rest of a sentence; None if nothing is."""
        count = len(self.shape.channels)
        if not isinstance(maps, Sequence) or not all(isinstance(x, Tensor) for x in maps):
            return f"gave a {type(maps).__name__}, expected a list or tuple of {count} tensors"
        if len(maps) != count:
            return f"gave {len(maps)} maps where it declares {count}"
        for k, (x, c, stride) in enumerate(zip(maps, self.shape.channels, self.shape.strides, strict=True)):
            expected = (image.shape[0], c, image.shape[2] // stride, image.shape[3] // stride)
            if tuple(x.shape) != expected:
                return (
                    f"gave map {k} as {tuple(x.shape)} where it declares {c} channels at stride {stride}, "
                    f"which is {expected}"
                )
            cast = torch.is_autocast_enabled(autocast_kind(image.device))
            if not x.is_floating_point() or (x.dtype != image.dtype and not cast):
                return f"gave map {k} as {_name(x.dtype)} for an input of {_name(image.dtype)}"
        return self._find_numbers(maps)

    def _find_numbers(self, maps: Sequence[Tensor]) -> str | None:
        if maps[0].is_meta or bool(torch.stack([x.isfinite().all() for x in maps]).all()):
            return None
        k = next(k for k, x in enumerate(maps) if not bool(x.isfinite().all()))
        return f"gave numbers that are not finite in map {k}; if its weights were loaded, the file may be damaged"


def _owner(component: Component) -> str:
    return f"the backbone {component.name!r} of the plugin {component.distribution!r}"


def _way_out(component: Component) -> str:
    return f"{component.way_out}, or choose another with -s backbone=NAME"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
