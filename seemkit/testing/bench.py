"""The bench that prompts are tried on: a photo of 64 x 48 pixels and the bundled model."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from seemkit import Model, Scene
    from seemkit.api import Prompt
    from seemkit_registry import Registry

__all__ = ["SIZE", "has_learned_part", "load_model", "make_photo", "model_for", "objects", "scene_for"]

SIZE = (48, 64)
"""(H, W) of the photo; the example of a prompt type is valid on it."""


def make_photo() -> NDArray[np.uint8]:
    """A photo (H, W, 3) that is nowhere flat, the same every time."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] / 8.0
    bands = [np.sin(x + k) + np.cos(y * (k + 1) / 2) + np.sin(x * y / 9) for k in range(3)]
    return np.asarray(np.stack(bands, axis=-1) * 40 + 128, np.uint8)


def objects() -> dict[str, NDArray[np.bool_]]:
    """Masks (H, W) of objects that a user may mean: in the middle, of odd shape, at borders, one pixel."""
    masks = {name: np.zeros(SIZE, bool) for name in ("middle", "bent", "corner", "last pixel", "all")}
    masks["middle"][12:36, 16:48] = True
    masks["bent"][8:40, 10:20] = masks["bent"][30:40, 10:50] = True
    masks["corner"][30:, 40:] = True
    masks["last pixel"][-1, -1] = True
    masks["all"][:] = True
    return masks


@cache
def plain_model() -> Model:
    """The bundled model, without hooks, in which every installed prompt type may be used."""
    return load_model(None)


def load_model(registry: Registry | None) -> Model:
    """A bundled model of one's own."""
    import seemkit

    model = seemkit.load("nano", device="cpu", allow_untrained=True, registry=registry)
    model.hooks = None
    return model


@lru_cache(maxsize=8)
def model_for(kind: type[Prompt]) -> Model:
    """The bundled model, with the learned part of a prompt type if it has one."""
    return load_model(_registry_with(kind)) if has_learned_part(kind) else plain_model()


@lru_cache(maxsize=8)
def scene_for(kind: type[Prompt]) -> Scene:
    """The photo as the model for a prompt type encodes it."""
    return model_for(kind).encode(make_photo())


def has_learned_part(kind: type[Prompt]) -> bool:
    """Whether a prompt type builds a module."""
    from seemkit.api import Dims, TokenPrompt

    return issubclass(kind, TokenPrompt) and kind.build(Dims(96, 128)) is not None


def _registry_with(kind: type[Prompt]) -> Registry | None:
    """None if the process knows the type; else a registry of its own that does."""
    from seemkit.host import expect_components, registry
    from seemkit_registry import Registry

    if any(found is kind for _, found in registry().load_all("prompts")):
        return None
    own = Registry()
    expect_components(own)
    own.register("prompts", kind.type_name(), kind)
    return own
