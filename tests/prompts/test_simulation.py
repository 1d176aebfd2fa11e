"""Simulated prompts are valid for the mask they were made for, include it, and are the same for one seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from seemkit.api import Grid, SpatialPrompt
from seemkit.prompts import Audio, Box, Concept, Mask, Memory, Point, Polygon, Reference, Scribble, Text

SPATIAL = [Point, Box, Scribble, Polygon, Mask]
each = pytest.mark.parametrize("kind", SPATIAL, ids=lambda kind: kind.__name__)


@st.composite
def objects(draw: st.DrawFn) -> NDArray[np.bool_]:
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    shape = draw(st.integers(1, 48)), draw(st.integers(1, 48))
    field = ndimage.gaussian_filter(rng.normal(size=shape), draw(st.sampled_from((0.0, 1.0, 3.0))))
    mask = np.asarray(field >= np.quantile(field, draw(st.sampled_from((0.2, 0.6, 0.95)))))
    mask[rng.integers(shape[0]), rng.integers(shape[1])] = True
    return mask


@each
@given(objects(), st.integers(0, 2**20))
def test_a_simulated_prompt_fits_its_image_and_touches_its_object(
    kind: type[SpatialPrompt], mask: NDArray[np.bool_], seed: int
) -> None:
    prompt = kind.simulate(mask, np.random.default_rng(seed))
    assert isinstance(prompt, kind)
    assert prompt.include
    prompt.check(mask.shape)
    region = prompt.region(Grid(*mask.shape))
    assert region.area > 0
    grown = ndimage.binary_dilation(mask, np.ones((3, 3)))
    assert (region.mask & grown).any()
    assert kind.simulate(mask, np.random.default_rng(seed)) == prompt


@pytest.mark.parametrize(
    "kind", [*SPATIAL, Text, Reference, Memory, Concept, Audio], ids=lambda kind: kind.__name__
)
def test_nothing_is_simulated_for_an_empty_mask(kind: type[SpatialPrompt]) -> None:
    assert kind.simulate(np.zeros((9, 9), bool), np.random.default_rng(0)) is None


@pytest.mark.parametrize("kind", [Text, Reference, Memory, Concept, Audio], ids=lambda kind: kind.__name__)
def test_what_takes_more_than_a_mask_is_not_simulated(kind: type[SpatialPrompt]) -> None:
    assert kind.simulate(np.ones((9, 9), bool), np.random.default_rng(0)) is None
