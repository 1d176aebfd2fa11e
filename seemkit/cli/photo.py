"""The photo of a command: pixels, or a scene that was encoded before. Read before torch is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from seemkit.scene import Scene

__all__ = ["SCENE_SUFFIX", "is_scene_file", "read_photo"]

SCENE_SUFFIX = ".scene"


def is_scene_file(path: str) -> bool:
    """Whether the path names a saved scene, going by its suffix."""
    return path.lower().endswith(SCENE_SUFFIX)


def read_photo(path: str) -> "tuple[NDArray[np.uint8] | Scene, tuple[int, int]]":
    """The photo at `path` for `model.encode`, and its (H, W).

    Raises:
        ImageError: it is missing, damaged, empty, too large or not an image.
        SceneError: it is named as a scene and is not a whole one.
    """
    if is_scene_file(path):
        from seemkit.scene import Scene

        scene = Scene.load(path)
        return scene, scene.size
    from seemkit.imaging.load import load_image

    pixels = load_image(path)
    return pixels, (pixels.shape[0], pixels.shape[1])
