"""Colours for objects: well apart from each other, also for the colour-blind, and visible on photos."""

__all__ = ["EXCLUDE", "INCLUDE", "RGB", "colour", "ink_on"]

RGB = tuple[int, int, int]

INCLUDE: RGB = (0, 175, 125)
"""Prompts that include: a bluish green, told from `EXCLUDE` by those who do not tell red from green."""
EXCLUDE: RGB = (200, 40, 25)
"""Prompts that exclude: vermilion."""

# The hues of Okabe and Ito 2008, more vivid for photos, then moved apart as the colour-blind see them
# (Machado and others 2009, three kinds): CIEDE2000 between any two of the first six is at least 17.
_BASE: tuple[RGB, ...] = (
    (49, 122, 255),
    (232, 134, 16),
    (43, 210, 155),
    (186, 60, 142),
    (255, 248, 40),
    (178, 10, 0),
    (50, 245, 255),
    (92, 58, 235),
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
    return (16, 18, 22) if luminance > 0.19 else (255, 255, 255)


def _mix(value: int, aim: int, share: float) -> int:
    return round(value + (aim - value) * share)
