"""How objects are asked for: a name that others share is enough where something is drawn, and only there."""

import numpy as np
import pytest

from seemkit.prompting.prompt import TokenPrompt
from seemkit.prompts import Point
from seemkit.training.augment import Augment
from seemkit.training.cell import Asker
from seemkit.training.recipe.sections import SharesSection
from seemkit.training.view import View
from tests.training.conftest import STILL, make_sample


@pytest.fixture
def twins() -> View:
    """A view whose two objects have one name, so that no text tells them apart."""
    sample = make_sample(1)
    for each in sample.objects:
        object.__setattr__(each, "name", "red thing")
    view = Augment(STILL, 96, 2).view(sample, 1)
    assert view is not None
    assert [target.texts for target in view.targets] == [(), ()]
    return view


def modes(view: View, **shares: float) -> set[tuple[int, int]]:
    """How many texts and regions the cells of a view have."""
    nothing = {"prompt": 0.0, "reference": 0.0, "text": 0.0, "mixed": 0.0}
    asker = Asker({Point: 1.0}, SharesSection(**{**nothing, **shares}))
    cells = asker.cells(view, np.random.default_rng(0))
    return {(sum(isinstance(p, TokenPrompt) for p in cell.prompts), len(cell.regions)) for cell in cells}


def test_beside_a_click_a_name_may_be_shared(twins: View) -> None:
    assert modes(twins, mixed=1.0) == {(1, 1)}


def test_a_text_alone_has_to_tell_which_object_is_meant(twins: View) -> None:
    assert modes(twins, text=1.0) == {(0, 1)}
