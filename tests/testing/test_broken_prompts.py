"""For every check of prompts a plugin that breaks it, and, but for what follows from that, breaks no other."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import pytest
from pydantic import (
    AllowInfNan,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    field_serializer,
    field_validator,
)
from pydantic import model_validator as validates

from seemkit import api
from seemkit.api import Anchor, Encoded, Group, Prompt, Region
from seemkit.testing import PromptContract, check_prompt
from seemkit.testing.prompt_answers import PromptAnswerChecks
from seemkit_registry import Registry

ELSEWHERE = "test_importing_it_loads_no_torch"
"""The one check that starts a process; a test of its own breaks it."""


class Dot(api.SpatialPrompt):
    """A spatial prompt that keeps the contract."""

    type: Literal["dot"] = "dot"
    x: float
    y: float
    draw: ClassVar[api.Draw] = "point"

    def region(self, size: api.Grid) -> Region:
        return Region(api.draw_clicks([(self.x, self.y)], size), self.include)

    def check(self, image: tuple[int, int]) -> None:
        api.check_inside([(self.x, self.y)], image, "dot")

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        click = api.simulate_click(mask, rng)
        return cls(x=click[0], y=click[1]) if click else None

    @classmethod
    def example(cls) -> Self:
        return cls(x=20.25, y=15.5)


class Word(api.TokenPrompt):
    """A token prompt that keeps the contract."""

    type: Literal["word"] = "word"
    text: str

    def encode(self, context: api.EncodeContext) -> Encoded:
        phrase = context.text([self.text])[0]
        anchor = Anchor("class", phrase.embedding, "phrase", self.include)
        return Encoded((Group("phrase", context.phrase_rows(phrase.tokens)),), (anchor,))

    @classmethod
    def example(cls) -> Self:
        return cls(text="a dog")


class Style(api.TokenPrompt):
    """A token prompt with a learned part that keeps the contract."""

    type: Literal["style"] = "style"
    number: int

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims)

    def encode(self, context: api.EncodeContext) -> Encoded:
        import torch

        module: Any = context.module
        row = module(torch.tensor([self.number % 4], device=next(module.parameters()).device))
        return Encoded((Group("style", row),), (Anchor("mask", row[0], "style", self.include),))

    @classmethod
    def example(cls) -> Self:
        return cls(number=1)


def part(dims: api.Dims, *, width: int | None = None, break_it: str = "") -> Any:
    """A learned part, sound or broken in one way."""
    import torch
    from torch import nn

    class Part(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(4, width or dims.channels)
            if break_it == "unused":
                self.unused = nn.Linear(3, 3)
            if break_it == "unsaved":
                self.offset = torch.randn(dims.channels)
            if break_it == "counts":
                self.register_buffer("calls", torch.zeros(()))

        def forward(self, index: Any) -> Any:
            if isinstance(index, Odd):
                index = torch.tensor([len(index.value)], device=self.table.weight.device)
            row = self.table(index)
            if break_it == "unsaved":
                row = row + self.offset.to(row)
            if break_it == "graph break":
                torch._dynamo.graph_break()
            if break_it == "counts":
                self.calls += 1
            return row

    return Part()


# Values


class OutOfBounds(Dot):
    """A dot whose example lies elsewhere."""

    @classmethod
    def example(cls) -> Self:
        return cls(x=100, y=15)


class Rounded(Dot):
    """A dot that writes rounded numbers."""

    @field_serializer("x")
    def _round(self, x: float) -> float:
        return round(x)


class Odd:
    """A value that pydantic cannot describe."""

    def __init__(self, value: str) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Odd) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


class Undescribed(Dot):
    """A dot with a field of a type without a schema."""

    odd: Annotated[
        Odd,
        BeforeValidator(lambda v: v if isinstance(v, Odd) else Odd(str(v))),
        PlainSerializer(lambda odd: odd.value),
    ] = Odd("a")

    @classmethod
    def example(cls) -> Self:
        return cls(x=20, y=15, odd=Odd("b"))


class Soft(Dot):
    """A dot that can be changed."""

    model_config = ConfigDict(frozen=False)


class Nameless(Dot):
    """A dot that is equal to those of other objects."""

    def content_key(self) -> str:
        return f"{self.x} {self.y} {self.include}"


class Sticky(Dot):
    """A dot that no other process gets."""

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle a Sticky")


class Drifting(Dot):
    """A dot that moves when it is copied."""

    def __deepcopy__(self, memo: Any = None) -> Self:
        return self.model_copy(update={"x": self.x + 1})


class Careless(Dot):
    """A dot that drops what it does not know."""

    @validates(mode="before")
    @classmethod
    def _drop(cls, data: Any) -> Any:
        return {k: v for k, v in data.items() if k in cls.model_fields} if isinstance(data, dict) else data


class Abrupt(Dot):
    """A dot whose validator raises what pydantic lets through."""

    @field_validator("x", mode="before")
    @classmethod
    def _read(cls, x: Any) -> float:
        return float(x)


class Endless(Dot):
    """A dot that takes infinity."""

    x: Annotated[float, AllowInfNan(True)]


class Changeling(Dot):
    """A dot that settles to another type."""

    def settled(self) -> Any:
        return Dot(**{name: getattr(self, name) for name in type(self).model_fields})


# Words


class Negative(Dot):
    """A dot whose flag reads like an exclusion."""

    type: Literal["not-dot"] = "not-dot"  # type: ignore[assignment]


class Verbose(Dot):
    """A dot that tells so much of itself
    that it does not fit into one line."""


class Renamed(Dot):
    """A dot whose docstring changes later."""


Renamed.__doc__ = "Something else that no source says."


class Brushed(Dot):
    """A dot that asks for a tool nobody has."""

    draw: ClassVar[Any] = "airbrush"


class Swapped(Dot):
    """A dot whose flag takes y before x."""

    @classmethod
    def parse(cls, text: str) -> Self:
        y, x = api.floats(text, (2,), flag="dot", form="x,y")
        return cls(x=x, y=y)


class Raw(Dot):
    """A dot whose flag shows Python's own errors."""

    @classmethod
    def parse(cls, text: str) -> Self:
        x, y = text.split(",")
        return cls(x=float(x), y=float(y))


# Regions


class Unsized(Dot):
    """A dot on the original image, whatever the grid."""

    def region(self, size: api.Grid) -> Region:
        return super().region(api.Grid(48, 64))


class Wandering(Dot):
    """A dot that is elsewhere on a finer grid."""

    def region(self, size: api.Grid) -> Region:
        mask = super().region(size).mask
        away = size.width // 2 if self.x < 32 and size.width > 64 else 0
        return Region(np.roll(mask, away, axis=1), self.include)


class Slanted(Dot):
    """A dot two pixels to the right of where it is."""

    def region(self, size: api.Grid) -> Region:
        x = self.x + (size.original[1] / 32 if self.x < 0.9 * size.original[1] else 0)
        return Region(api.draw_clicks([(x, self.y)], size), self.include)


class Unscaled(Dot):
    """A dot that is elsewhere on a large photo."""

    def region(self, size: api.Grid) -> Region:
        x = self.x + (15 if size.original[1] > 100 else 0)
        return Region(api.draw_clicks([(x, self.y)], size), self.include)


class Clamped(Dot):
    """A dot that is moved onto the image."""

    def check(self, image: tuple[int, int]) -> None: ...

    def region(self, size: api.Grid) -> Region:
        rows, columns = size.original
        at = (min(max(self.x, 0), columns - 0.5), min(max(self.y, 0), rows - 0.5))
        return Region(api.draw_clicks([at], size), self.include)


class Cut(Dot):
    """A dot that leaves out the last pixels of a fine grid."""

    def region(self, size: api.Grid) -> Region:
        mask = super().region(size).mask.copy()
        if size.height > 48 and mask[-2:, -2:].any():
            mask[-2:, -2:] = False
            mask[-4, -4] = True
        return Region(mask, self.include)


class Swollen(Dot):
    """A dot that is larger when it excludes."""

    def region(self, size: api.Grid) -> Region:
        return Region(api.draw_clicks([(self.x, self.y)], size, 1 if self.include else 3), self.include)


class Hoarding(Dot):
    """A dot that keeps a large array behind each region."""

    def region(self, size: api.Grid) -> Region:
        large = np.zeros((1000, 1000), bool)
        view = large[: size.height, : size.width]
        view[...] = super().region(size).mask
        view.flags.writeable = False
        return Region(view, self.include)


# Simulation


class Missing(Dot):
    """A dot that a simulated user sets in the corner."""

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        return cls(x=0.5, y=0.5) if mask.sum() > 1 else super().simulate(mask, rng)


class Whimsical(Dot):
    """A dot whose simulated user follows no seed."""

    own: ClassVar[np.random.Generator] = np.random.default_rng(0)

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        return super().simulate(mask, cls.own)


class Eager(Dot):
    """A dot whose user clicks where nothing is."""

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        return super().simulate(mask, rng) or cls.example()


class Erasing(Dot):
    """A dot whose user wipes the mask."""

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        found = super().simulate(mask, rng)
        mask[:] = False
        return found


# Rows


class Silent(Word):
    """A word without an anchor."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        return Encoded(super().encode(context).groups, ())


class Agreeable(Word):
    """A word that includes what it excludes."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        return (
            super().encode(context)
            if self.include
            else self.model_copy(update={"include": True}).encode(context)
        )


class Doubling(Word):
    """A word that changes the phrase it was given."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        found = super().encode(context)
        context.text([self.text])[0].embedding.mul_(2)
        return found


class Homebound(Word):
    """A word with an anchor made on the CPU."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        import torch

        found = super().encode(context)
        made = Anchor("class", torch.ones(context.dims.text), "phrase", self.include)
        return Encoded(found.groups, (*found.answers, made))


class Single(Word):
    """A word of single precision."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        found = super().encode(context)
        return Encoded(tuple(Group(g.role, g.content.float()) for g in found.groups), found.answers)  # type: ignore[union-attr]


# Learned parts


class Rigid(Style):
    """A style of one width."""

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims, width=96)


class Wasteful(Style):
    """A style with a parameter for nothing."""

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims, break_it="unused")


class Forgetful(Style):
    """A style that does not save all that it is."""

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims, break_it="unsaved")


class Fragmented(Style):
    """A style that no compiler takes whole."""

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims, break_it="graph break")


class Peculiar(Style):
    """A style whose learned part takes what no export does."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        module: Any = context.module
        row = module(Odd("a" * (self.number % 4)))
        return Encoded((Group("style", row),), (Anchor("mask", row[0], "style", self.include),))


class Counting(Style):
    """A style that counts its calls in a buffer."""

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims, break_it="counts")


# Answers


class Abstaining(Word):
    """A word whose anchor has nothing to say."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        return Encoded(super().encode(context).groups, (Anchor("class", None, "phrase", self.include),))


class Trembling(Word):
    """A word that is never quite the same."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        import torch

        found = super().encode(context)
        (group,) = found.groups
        assert isinstance(group.content, torch.Tensor)
        return Encoded(
            (Group("phrase", group.content + 1e-5 * torch.rand_like(group.content)),), found.answers
        )


class Individual(Word):
    """A word that tells itself from its duplicates."""

    def __eq__(self, other: object) -> bool:
        return super(Individual, Individual).content_key is not None and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.text)

    def content_key(self) -> str:
        return f"{id(self)}"


class Tiring(Dot):
    """A dot that has had enough of the fiftieth."""

    seen: ClassVar[set[str]] = set()

    def region(self, size: api.Grid) -> Region:
        self.seen.add(self.content_key())
        if len(self.seen) > 50:
            raise RuntimeError("too many dots")
        return super().region(size)


class Jealous(Word):
    """A word that answers otherwise after one of another object."""

    last: ClassVar[list[str]] = []

    def encode(self, context: api.EncodeContext) -> Encoded:
        found = super().encode(context)
        jealous = self.last and self.last[-1] != self.object
        self.last[:] = [self.object]
        (group,) = found.groups
        return Encoded((Group("phrase", -3 * group.content),), found.answers) if jealous else found  # type: ignore[operator]


class Headstrong(Dot):
    """A dot that cannot be excluded, and does not say so."""

    @field_validator("include", mode="before")
    @classmethod
    def _always(cls, include: bool) -> bool:
        return True


class Prodigal(Word):
    """A word that encodes an image each time."""

    number: ClassVar[Any] = itertools.count()

    def encode(self, context: api.EncodeContext) -> Encoded:
        from seemkit.prompts import Point

        pixels = np.full((32, 32, 3), next(self.number) % 251, np.uint8)
        context.reference(pixels, [Point(x=5, y=5)])
        return super().encode(context)


class Meddling(Word):
    """A word that writes into the scene."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        context.scene.levels[0][..., 0, 0] += 1
        return super().encode(context)


class Unsettled(Dot):
    """A dot that settles elsewhere."""

    def settled(self) -> Self:
        return self.model_copy(update={"x": 50.5})


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
