"""Colours for objects: well apart from each other, also for the colour-blind, and visible on photos."""

__all__ = ["EXCLUDE", "INCLUDE", "RGB", "colour", "ink_on"]

RGB = tuple[int, int, int]

INCLUDE: RGB = (0, 158, 115)
"""Prompts that include: a bluish green, told from `EXCLUDE` by those who do not tell red from green."""
EXCLUDE: RGB = (213, 55, 30)
"""Prompts that exclude: vermilion."""

# After Okabe and Ito 2008, more vivid for photos, ordered so that neighbours differ in hue and lightness.
_BASE: tuple[RGB, ...] = (
    (30, 144, 255),
    (255, 159, 28),
    (0, 178, 128),
    (232, 90, 170),
    (250, 228, 50),
    (220, 70, 30),
    (95, 210, 245),
    (120, 80, 215),
)


def colour(index: int) -> RGB:
    """The colour of object number `index`, from 0; after eight the hues come again, lighter, then darker."""
    red, green, blue = _BASE[index % len(_BASE)]
    turn = index // len(_BASE) % 3
    if turn == 0:
        return red, green, blue
    aim, share = (255, 0.45) if turn == 1 else (0, 0.4)
    return _mix(red, aim, share), _mix(green, aim, share), _mix(blue, aim, share)


def ink_on(ground: RGB) -> RGB:
    """Near-black or white, whichever contrasts more with `ground` (WCAG 2 relative luminance)."""
    red, green, blue = ((c / 255) ** 2.2 for c in ground)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (16, 18, 22) if luminance > 0.18 else (255, 255, 255)


def _mix(value: int, aim: int, share: float) -> int:
    return round(value + (aim - value) * share)
