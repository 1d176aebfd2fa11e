"""A prompt type needs no example of its own: one is simulated, or made of its defaults, or its lack is told."""

from typing import Any, Literal, cast

import pytest

from seemkit.api import Grid, PromptError, Region, SpatialPrompt
from seemkit.host import check_prompt
from seemkit.prompts import Box, Point


class Plain(SpatialPrompt):
    """A prompt with the one method that a spatial prompt has to bring, and fields that all have defaults."""

    type: Literal["plain"] = "plain"
    radius: float = 3

    def region(self, size: Grid) -> Region:
        raise NotImplementedError


class Demanding(Plain):
    """One that nobody can make up a value of."""

    weight: float


def test_a_prompt_type_with_nothing_but_a_region_is_accepted() -> None:
    assert check_prompt(Plain) is None
    assert check_prompt(Demanding) is None


def test_the_default_example_is_made_of_the_defaults() -> None:
    assert Plain.example() == Plain(radius=3)


def test_the_default_example_is_what_a_user_would_give_where_that_can_be_simulated() -> None:
    default = SpatialPrompt.example.__func__  # type: ignore[attr-defined]
    simulated = default(Box)
    # The rectangle is 32 x 24 at (16, 12); a simulated box is tight give or take a twentieth of it.
    assert (simulated.x1, simulated.y1) == pytest.approx((16, 12), abs=2)
    assert (simulated.x2, simulated.y2) == pytest.approx((48, 36), abs=2)


def test_a_type_without_any_example_says_what_it_lacks() -> None:
    with pytest.raises(PromptError, match=r"'plain' has no example: give it a classmethod 'example\(\)'"):
        Demanding.example()


def test_a_type_without_a_name_is_told_so_before_its_methods_are_missed() -> None:
    class Nameless(SpatialPrompt):
        """Neither a type nor a region."""

    assert (
        check_prompt(Nameless) == "its field 'type' has no default, such as type: Literal['lasso'] = 'lasso'"
    )


def test_values_without_names_are_refused_with_the_names() -> None:
    with pytest.raises(PromptError) as caught:
        cast(Any, Point)(120, 80)
    assert str(caught.value) == "point: 2 values without a name, expected Point(x=..., y=...)"
