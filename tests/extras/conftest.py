"""What tests of the built-in extras share: a result that was made by hand."""

import numpy as np
import pytest

from seemkit.result import Result


@pytest.fixture
def result() -> Result:
    """Two cats, one of them in two parts with a hole, and a small mask without a label on a 40 x 30 photo."""
    masks = np.zeros((3, 30, 40), bool)
    masks[0, 4:20, 3:18] = True
    masks[0, 8:12, 6:10] = False
    masks[0, 24:28, 30:38] = True
    masks[1, 10:26, 12:30] = True
    masks[2, 0:2, 0:3] = True
    return Result(
        masks=masks,
        scores=np.array([0.9, 0.75, 0.5], np.float32),
        objects=("left", "right", "3"),
        labels=((("cat", 0.8), ("dog", 0.2)), (("cat", 0.6), ("dog", 0.4)), ()),
        image=np.full((30, 40, 3), 90, np.uint8),
        vocabulary=("dog", "cat"),
    )
