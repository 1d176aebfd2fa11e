"""Whether what a prompt gives lies on the image, said in one sentence if it does not."""

from collections.abc import Sequence

from seemkit.errors import PromptError

__all__ = ["check_inside", "check_overlap", "check_same_size"]


def check_inside(
    points: Sequence[tuple[float, float]],
    image: tuple[int, int],
    prompt: str,
    *,
    field: str = "",
    closed: bool = False,
) -> None:
    """Refuse a point (x, y) outside [0, W) x [0, H) of an image of (H, W) pixels.

    Args:
        points: in pixels of the image.
        image: its (H, W).
        prompt: the prompt's type, for the sentence.
        field: the list that holds the points, such as ``points``; empty if x and y are fields themselves.
        closed: the far border counts as inside, as it does for the corner of an area.

    Raises:
        PromptError: names the first point and coordinate at fault, and the valid range.
    """
    for i, point in enumerate(points):
        place = f"{field}[{i}]." if field else ""
        for axis, value, length in zip("xy", point, image[::-1], strict=True):
            if not (0 <= value <= length if closed else 0 <= value < length):
                raise PromptError(
                    f"{prompt} {place}{axis}={value:.10g} lies outside the image: expected 0 <= {axis} "
                    f"{'<=' if closed else '<'} {length}",
                    path=f"{place}{axis}",
                )


def check_overlap(box: tuple[float, float, float, float], image: tuple[int, int], prompt: str) -> None:
    """Refuse a box (x1, y1, x2, y2) of which nothing lies on an image of (H, W) pixels."""
    for axis, low, high, length in zip("xy", box[:2], box[2:], image[::-1], strict=True):
        if low >= length:
            raise PromptError(
                f"{prompt} {axis}1={low:.10g} lies outside the image: expected {axis}1 < {length}",
                path=f"{axis}1",
            )
        if high <= 0:
            raise PromptError(
                f"{prompt} {axis}2={high:.10g} lies outside the image: expected {axis}2 > 0", path=f"{axis}2"
            )


def check_same_size(mask: tuple[int, ...], image: tuple[int, int], prompt: str) -> None:
    """Refuse a mask of (H, W) pixels that is not the size of the image."""
    if mask != image:
        raise PromptError(
            f"the {prompt} is {mask[1]} x {mask[0]} pixels (width x height), expected the image's "
            f"{image[1]} x {image[0]}",
            path="mask",
        )
