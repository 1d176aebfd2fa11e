"""A region of a saved scene is checked before anything is encoded, like one of an array."""

from typing import Any

import numpy as np
import pytest

from seemkit.api import PromptError
from seemkit.prompts import Point, Reference


class FakeScene:
    """What a reference knows of a scene: its fingerprint, and the (H, W) of its image."""

    fingerprint = "ab" * 32
    size = (30, 40)


@pytest.mark.parametrize("image", [FakeScene(), np.zeros((30, 40, 3), np.uint8)], ids=["scene", "array"])
def test_a_point_outside_the_reference_is_named_with_its_place(image: Any) -> None:
    reference = Reference(image=image, prompts=[Point(x=1, y=1), Point(x=900, y=1)])
    with pytest.raises(PromptError) as caught:
        reference.check((300, 450))
    assert str(caught.value) == (
        "reference prompts[1]: point x=900 lies outside the image: expected 0 <= x < 40"
    )
    assert caught.value.path == "prompts[1].x"
