"""Which hooks a model has: those that every model has, and those that its assembly asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seemkit.errors import SeemkitError
from seemkit.imaging.load import load_image
from seemkit_registry import HookSet
from seemkit_registry.fault import describe_exception

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from seemkit.assembly import Assembly
    from seemkit_registry import Component, Registry

__all__ = ["gather_hooks", "hooked_pixels"]


def gather_hooks(assembly: Assembly, registry: Registry) -> HookSet:
    """The hooks of a model of `assembly`.

    A hook plugin with ``Options`` and ``build`` is there if the assembly names it in ``hooks``; any other is
    there as soon as it is installed.

    Raises:
        SeemkitError: a hook that the assembly names cannot be built; the sentence names its plugin.
    """
    installed = [pair for pair in registry.load_all("hooks", assembly.prefer) if not _is_built(pair[1])]
    return HookSet([*installed, *_chosen(assembly, registry)], on_fault=registry.quarantine)


def hooked_pixels(hooks: HookSet | None, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) as the hooks leave them.

    Raises:
        SeemkitError: they are no image any more, or one of another size, which prompts would not fit.
    """
    if not hooks:
        return pixels
    found = load_image(hooks.before_encode(pixels))
    if found.shape != pixels.shape:
        (rows, columns), (height, width) = found.shape[:2], pixels.shape[:2]
        raise SeemkitError(
            f"a hook made {columns} x {rows} of an image of {width} x {height} in before_encode; the size has to "
            f"stay (hooks: {', '.join(hooks.plugins)})",
            path="hooks",
        )
    return found


def _chosen(assembly: Assembly, registry: Registry) -> Iterator[tuple[Component, object]]:
    for slot in assembly.hooks:
        component = registry.resolve("hooks", slot.component)
        found = registry.load(component)
        if not _is_built(found):
            continue
        try:
            yield component, found.build(slot.settings)  # type: ignore[attr-defined]
        except SeemkitError:
            raise
        except Exception as error:
            raise SeemkitError(
                f"the hook {slot.use!r} of the plugin {component.distribution!r} cannot be built: "
                f"{describe_exception(error)[0]}; {component.way_out}",
                path="hooks",
            ) from error


def _is_built(found: object) -> bool:
    return getattr(found, "Options", None) is not None
