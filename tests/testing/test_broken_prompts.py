"""For every check of prompts a plugin that breaks it, and, but for what follows from that, breaks no other."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from seemkit.api import Prompt
from seemkit.testing import PromptContract, check_prompt
from seemkit.testing.prompt_answers import PromptAnswerChecks
from seemkit_registry import Registry
from tests.testing.broken_answers import (
    Abstaining,
    Headstrong,
    Individual,
    Jealous,
    Meddling,
    Prodigal,
    Tiring,
    Trembling,
    Unsettled,
)
from tests.testing.broken_spatial import (
    Abrupt,
    Brushed,
    Careless,
    Changeling,
    Clamped,
    Cut,
    Dot,
    Drifting,
    Eager,
    Endless,
    Erasing,
    Hoarding,
    Missing,
    Nameless,
    Negative,
    OutOfBounds,
    Raw,
    Renamed,
    Rounded,
    Slanted,
    Soft,
    Sticky,
    Swapped,
    Swollen,
    Undescribed,
    Unscaled,
    Unsized,
    Verbose,
    Wandering,
    Whimsical,
)
from tests.testing.broken_tokens import (
    Agreeable,
    Counting,
    Doubling,
    Forgetful,
    Fragmented,
    Homebound,
    Peculiar,
    Rigid,
    Silent,
    Single,
    Style,
    Wasteful,
    Word,
)

ELSEWHERE = "test_importing_it_loads_no_torch"
"""The one check that starts a process; a test of its own breaks it."""


class Break(NamedTuple):
    """A broken plugin, the check that it fails, and those that fail with it."""

    kind: type[Prompt]
    check: str
    also: set[str] = set()
    flags: Mapping[str, Prompt] = {}


SAME, ORDER, ROUNDS = (
    "test_the_same_request_gives_the_same_bits",
    "test_order_and_duplicates_change_nothing",
    "test_a_session_answers_it_in_rounds",
)
ANSWERED, INPUTS = "test_the_example_is_answered", "test_a_request_changes_none_of_its_inputs"
EXCLUSION, EQUAL = "test_an_exclusion_gives_anchors_that_exclude", "test_it_is_equal_by_content"
BROKEN = [
    Break(OutOfBounds, "test_the_example_fits_64_by_48_pixels"),
    Break(Rounded, "test_it_comes_back_from_json_as_it_was"),
    Break(Undescribed, "test_it_has_a_json_schema"),
    Break(Soft, "test_it_is_frozen"),
    Break(Nameless, EQUAL),
    Break(Sticky, "test_it_can_be_pickled"),
    Break(Drifting, "test_its_copies_are_equal"),
    Break(Careless, "test_an_unknown_field_is_refused_in_a_sentence"),
    Break(Abrupt, "test_a_wrong_value_is_refused_in_a_sentence"),
    Break(Endless, "test_a_number_that_is_not_finite_is_refused"),
    Break(Changeling, "test_settling_is_done_once"),
    Break(Negative, "test_the_type_is_a_legal_flag"),
    Break(Verbose, "test_the_summary_is_one_line"),
    Break(Renamed, "test_the_summary_is_in_the_source"),
    Break(Brushed, "test_the_canvas_tool_is_known"),
    Break(Swapped, "test_the_flag_reads_its_values", flags={"3,4": Swapped(x=3, y=4)}),
    Break(Raw, "test_garbage_in_the_flag_is_refused_in_a_sentence"),
    Break(Unsized, "test_the_region_is_on_the_grid"),
    Break(Wandering, "test_the_region_does_not_depend_on_the_grid"),
    Break(Slanted, "test_the_region_is_mirrored_with_the_image"),
    Break(Unscaled, "test_the_region_scales_with_the_image"),
    Break(Clamped, "test_a_prompt_outside_of_the_image_is_refused"),
    Break(Cut, "test_the_last_pixel_can_be_selected"),
    Break(Swollen, "test_excluding_selects_the_same_pixels"),
    Break(Hoarding, "test_a_region_is_no_larger_than_its_grid"),
    Break(Missing, "test_a_simulated_prompt_is_on_its_object"),
    Break(Whimsical, "test_simulation_is_seeded"),
    Break(Eager, "test_nothing_is_simulated_for_an_empty_mask"),
    Break(Erasing, "test_simulation_does_not_change_the_mask"),
    Break(Silent, "test_rows_and_anchors_fit_the_model", {ANSWERED, EXCLUSION}),
    Break(Agreeable, EXCLUSION),
    Break(Doubling, "test_phrases_are_left_as_they_are"),
    Break(Homebound, "test_rows_are_made_on_the_device_of_the_model"),
    Break(Single, "test_rows_follow_the_precision_of_the_model"),
    Break(Rigid, "test_the_learned_part_fits_any_widths"),
    Break(Wasteful, "test_gradients_reach_every_parameter"),
    Break(Forgetful, "test_weights_come_back_from_a_file"),
    Break(Fragmented, "test_the_learned_part_compiles"),
    Break(Peculiar, "test_the_learned_part_exports"),
    Break(Counting, "test_encoding_leaves_the_learned_part_alone", {INPUTS}),
    Break(Abstaining, ANSWERED),
    Break(Trembling, SAME, {ORDER, ROUNDS}),
    Break(Individual, ORDER, {EQUAL}),
    Break(Tiring, "test_many_prompts_of_one_object_are_answered"),
    Break(Jealous, "test_other_objects_do_not_leak_into_its_answer"),
    Break(Headstrong, "test_excluding_counts"),
    Break(Prodigal, "test_asking_again_encodes_no_image"),
    Break(Meddling, INPUTS),
    Break(Unsettled, ROUNDS),
]


def names() -> set[str]:
    return {about.name for about in PromptContract.checks()}


@pytest.mark.parametrize("kind", [Dot, Word, Style], ids=lambda kind: kind.__name__)
def test_the_sound_ones_pass(kind: type[Prompt]) -> None:
    report = check_prompt(kind, only=names() - {ELSEWHERE})
    assert report.ok, str(report)


each_broken = pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.kind.__name__)


@each_broken
def test_a_broken_prompt_fails_the_check_that_is_for_it(broken: Break) -> None:
    answers = {about.name for about in PromptAnswerChecks.checks()}
    alone = (
        issubclass(broken.kind, Dot) and broken.check not in answers
    )  # values and regions, without the model
    report = check_prompt(
        broken.kind, flags=broken.flags, only=names() - {ELSEWHERE} - (answers if alone else set())
    )
    assert {outcome.name for outcome in report.failed} == {broken.check, *broken.also}, str(report)


@pytest.mark.slow
@each_broken
def test_a_broken_prompt_fails_no_other_check(broken: Break) -> None:
    report = check_prompt(broken.kind, flags=broken.flags)
    assert {outcome.name for outcome in report.failed} == {broken.check, *broken.also}, str(report)


def test_a_prompt_that_imports_torch_is_found(tmp_path: Path) -> None:
    file = tmp_path / "heavy.py"
    lines = [
        "from typing import Literal",
        "import torch",
        "from seemkit.api import Grid, Region, SpatialPrompt, draw_clicks",
        "class Heavy(SpatialPrompt):",
        "    type: Literal['heavy'] = 'heavy'",
        "    x: float = 3",
        "    def region(self, size: Grid) -> Region:",
        "        return Region(draw_clicks([(self.x, 3)], size))",
        "component = ('prompts', 'heavy')",
    ]
    for text, state in ((lines, "failed"), ([line for line in lines if "torch" not in line], "passed")):
        file.write_text("\n".join(text), encoding="utf-8")
        registry = Registry()
        (component,) = registry.load_file(
            file, lambda found: ("prompts", "heavy") if _is_heavy(found) else None
        )
        report = check_prompt(registry.load(component), only=[ELSEWHERE])  # type: ignore[arg-type]
        assert [outcome.state for outcome in report.outcomes] == [state], str(report)


def _is_heavy(found: object) -> bool:
    return getattr(found, "__name__", "") == "Heavy"


def test_every_check_has_a_plugin_that_fails_it() -> None:
    assert {broken.check for broken in BROKEN} | {ELSEWHERE} == names()
