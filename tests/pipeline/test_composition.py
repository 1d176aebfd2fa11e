"""Mixing prompts: order and duplicates change no bit, objects and chunks do not reach each other.

Numbers: a second object or image may move logits by rounding, at most 5e-3 on the published scale; the tiny
models here have logits of a few tens and stay well below it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seemkit import Model, Result, Scene, register
from seemkit.api import Anchor, EncodeContext, Encoded, Group, Prompt, TokenPrompt
from seemkit.errors import PromptError
from seemkit.pipeline import segment
from seemkit.prompts import Box, Mask, Memory, Point, Polygon, Reference, Scribble, Text

WIDTH, HEIGHT = 96, 72
ROUNDING = 5e-3
PRESETS = ("seem_v0", "seem_v1", "seem_demo", "nano")
UNHURRIED = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

xs, ys = st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1)
names = st.sampled_from(["1", "dog", "cat"])
signs = st.booleans()
spatial = st.one_of(
    st.builds(Point, x=xs, y=ys, object=names, include=signs),
    st.builds(
        lambda x, y, w, h, **more: Box(x1=x, y1=y, x2=x + w, y2=y + h, **more),
        xs, ys, st.integers(2, 60), st.integers(2, 60), object=names, include=signs,
    ),
    st.builds(
        Scribble, points=st.lists(st.tuples(xs, ys), min_size=1, max_size=3), width=st.integers(1, 9),
        object=names, include=signs,
    ),
)  # fmt: skip
texts = st.builds(Text, text=st.sampled_from(["a dog", "grass", "the red car"]), object=names, include=signs)
anchored = st.builds(Text, text=st.just("something"), object=names)  # so that no object only excludes


@pytest.fixture(params=PRESETS)
def model(request: pytest.FixtureRequest, tiny_model: Callable[[str], Model]) -> Model:
    return tiny_model(request.param)


@pytest.fixture
def scene(model: Model, photo: NDArray[np.uint8]) -> Scene:
    return model.encode(photo)


@st.composite
def requests(draw: st.DrawFn) -> tuple[list[Prompt], list[Prompt]]:
    """Prompts, and the same ones in another order with some of them twice."""
    given = draw(st.lists(st.one_of(spatial, texts), min_size=1, max_size=6))
    asked = {p.object for p in given}
    prompts = [*given, *(Text(text="something", object=name) for name in sorted(asked))]
    doubled = prompts + draw(st.lists(st.sampled_from(prompts), max_size=3))
    return prompts, draw(st.permutations(doubled))


def same_bits(a: Result, b: Result) -> bool:
    """Whether two results hold the same, object by object, whatever their order."""
    one = {name: i for i, name in enumerate(a.objects)}
    two = {name: i for i, name in enumerate(b.objects)}
    assert set(one) == set(two)
    arrays = ("masks", "scores", "selection", "logits")
    return all(
        np.array_equal(getattr(a, field)[one[name]], getattr(b, field)[two[name]], equal_nan=field != "masks")
        for field in arrays
        for name in one
    ) and all(a.shares[one[name]] == b.shares[two[name]] for name in one)


def logits(result: Result, name: str = "1") -> NDArray[np.float32]:
    assert result.logits is not None
    return result.logits[result.objects.index(name)]


@pytest.mark.parametrize("preset", PRESETS)
@UNHURRIED
@given(request=requests())
def test_order_and_duplicates_give_equal_bits(
    preset: str,
    request: tuple[list[Prompt], list[Prompt]],
    tiny_model: Callable[[str], Model],
    photo: NDArray[np.uint8],
) -> None:
    model = tiny_model(preset)
    scene = model.encode(photo)
    prompts, shuffled = request
    assert same_bits(model.segment(scene, prompts), model.segment(scene, shuffled))


def test_objects_are_computed_in_order_of_their_names(
    model: Model, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    # so that neither their places in a batch nor their chunks depend on the order of the request
    computed: list[list[str]] = []
    compose = segment.compose

    def spy(network: Any, *given: Any) -> Any:
        computed.append([item.name for item in given[2]])
        return compose(network, *given)

    monkeypatch.setattr(segment, "compose", spy)
    monkeypatch.setattr(segment, "_chunk_size", lambda context: 2)
    for order in ("bac", "cba", "acb"):
        model.segment(scene, [Point(x=5, y=5, object=name) for name in order])
    assert computed == [["a", "b"], ["c"]] * 3


def test_objects_are_answered_in_order_of_first_mention(model: Model, scene: Scene) -> None:
    prompts = [Point(x=5, y=5, object=name) for name in ("b", "a", "c", "a")]
    assert model.segment(scene, prompts).objects == ("b", "a", "c")


MIXTURE: list[Prompt] = [
    Point(x=20, y=20),
    Point(x=60, y=50, include=False),
    Box(x1=8, y1=8, x2=50, y2=60),
    Polygon(points=[(10, 10), (40, 12), (25, 50)]),
    Text(text="a dog"),
    Text(text="a cat", include=False),
]
OTHERS: list[Sequence[Prompt]] = [
    [Point(x=70, y=30, object="other")],
    [Box(x1=1, y1=1, x2=95, y2=71, object="other")],
    [Text(text="grass and a house and a long road to the hills", object="other")],
    [Memory(mask=np.tri(HEIGHT, WIDTH, dtype=bool), object="other")],
    [Mask(mask=np.tri(HEIGHT, WIDTH, dtype=bool), object=f"other {i}") for i in range(5)],
]


@pytest.mark.parametrize("others", OTHERS, ids=["point", "box", "text", "memory", "five masks"])
def test_other_objects_change_nothing_beyond_rounding(
    model: Model, scene: Scene, others: Sequence[Prompt]
) -> None:
    alone, beside = model.segment(scene, MIXTURE), model.segment(scene, [*others, *MIXTURE])
    assert np.abs(logits(alone) - logits(beside)).max() < ROUNDING
    assert alone.scores[0] == pytest.approx(beside.scores[beside.objects.index("1")], abs=1e-3)


class Filled(TokenPrompt):
    """Rows and anchors that all hold one number, which may be none."""

    type: Literal["filled"] = "filled"
    role: str = "phrase"
    poison: bool = False

    def encode(self, context: EncodeContext) -> Encoded:
        rows = torch.full((5, context.dims.channels), float("nan") if self.poison else 0.5)
        limits = torch.full_like(context.scene.fine[0], rows[0, 0].item())
        group = Group(self.role, rows, attends=limits if self.role == "memory" else None)
        return Encoded((group,), (Anchor("mask", rows[0], self.role), Anchor("class", rows[0], self.role)))

    @classmethod
    def example(cls) -> Self:
        return cls()


@pytest.mark.parametrize("role", ["phrase", "reference", "memory", "audio"])
@pytest.mark.usefixtures("plugins")
def test_poison_in_another_object_changes_nothing_at_all(model: Model, scene: Scene, role: str) -> None:
    # both calls have rows of the same shape, so the arithmetic is the same but for the other object's numbers
    register(Filled)
    clean = model.segment(scene, [*MIXTURE, Filled(object="other", role=role)])
    poisoned = model.segment(scene, [*MIXTURE, Filled(object="other", role=role, poison=True)])
    assert np.isnan(logits(poisoned, "other")).all()
    assert np.isfinite(logits(clean, "other")).all()
    for field in ("masks", "scores", "selection", "logits"):
        assert np.array_equal(getattr(clean, field)[0], getattr(poisoned, field)[0]), field
    assert clean.shares[0] == poisoned.shares[0]


def test_chunks_of_objects_give_the_same_answers(
    model: Model, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts: list[Prompt] = [
        Point(x=8 * i + 4, y=40, object=f"object {i}") for i in range(9)
    ] + [Text(text="grass", object="object 3")]  # fmt: skip
    whole = model.segment(scene, prompts)
    monkeypatch.setattr(segment, "MEGABYTE", 0)
    one_by_one = model.segment(scene, prompts)
    assert one_by_one.objects == whole.objects
    assert whole.logits is not None
    assert one_by_one.logits is not None
    assert np.abs(whole.logits - one_by_one.logits).max() < ROUNDING


def test_the_budget_makes_chunks(model: Model, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    decode = model.network.decoder.forward

    def counted(prepared: Any, rows: Any, *given: Any, **more: Any) -> Any:
        sizes.append(rows[0].content.shape[0])
        return decode(prepared, rows, *given, **more)

    monkeypatch.setattr(model.network.decoder, "forward", counted)
    prompts = [Point(x=8 * i + 4, y=40, object=f"object {i}") for i in range(9)]
    model.segment(scene, prompts)
    assert sizes == [9]
    sizes.clear()
    monkeypatch.setattr(segment, "MEGABYTE", 0)
    model.segment(scene, prompts)
    assert sizes == [1] * 9


def test_exclude_wins_where_it_overlaps_include(model: Model, scene: Scene) -> None:
    square = np.zeros((HEIGHT, WIDTH), bool)
    square[10:40, 10:50] = True
    part = square.copy()
    part[:, :30] = False
    overlapping = model.segment(scene, [Mask(mask=square), Mask(mask=part, include=False)])
    apart = model.segment(scene, [Mask(mask=square & ~part), Mask(mask=part, include=False)])
    assert np.array_equal(logits(overlapping), logits(apart))


def test_an_object_whose_include_is_all_excluded_is_refused(model: Model, scene: Scene) -> None:
    with pytest.raises(PromptError, match="object '1' selects nothing that could be answered"):
        model.segment(scene, [Point(x=20, y=20), Box(x1=0, y1=0, x2=96, y2=72, include=False)])


@pytest.mark.parametrize(
    "prompt", [Point(x=3, y=3, include=False), Text(text="a cat", include=False)], ids=["point", "text"]
)
def test_an_object_without_any_include_is_refused(model: Model, scene: Scene, prompt: Prompt) -> None:
    with pytest.raises(PromptError, match="object '1' has only prompts that exclude") as caught:
        model.segment(scene, [prompt, Point(x=5, y=5, object="2")])
    assert caught.value.path == "objects[1]"


def test_text_exclusion_acts_in_selection_only(model: Model, scene: Scene) -> None:
    plain: list[Prompt] = [Point(x=20, y=20), Text(text="a dog")]
    every = model.segment(scene, plain, select="all")
    without = model.segment(scene, [*plain, Text(text="a cat", include=False)], select="all")
    assert every.logits is not None
    assert without.logits is not None
    # the same candidates, however they are ranked
    apart = np.abs(every.logits[:, None] - without.logits[None]).max((2, 3))
    assert (apart.min(0) < 1e-5).all()
    assert (apart.min(1) < 1e-5).all()
    assert all("not phrase" in share for share in without.shares)
    assert not any("not phrase" in share for share in every.shares)


def test_an_anchor_without_evidence_abstains(model: Model, scene: Scene) -> None:
    # everything that the point includes is excluded: the text alone answers
    hidden: list[Prompt] = [Point(x=20, y=20), Box(x1=0, y1=0, x2=96, y2=72, include=False)]
    result = model.segment(scene, [*hidden, Text(text="a dog")])
    assert set(result.shares[0]) == {"phrase"}
    assert set(model.segment(scene, [hidden[0], Text(text="a dog")]).shares[0]) == {"phrase", "region"}


def test_a_memory_speaks_only_if_nothing_else_does(model: Model, scene: Scene) -> None:
    memory = Memory(mask=np.tri(HEIGHT, WIDTH, dtype=bool))
    assert set(model.segment(scene, [memory]).shares[0]) == {"memory"}
    assert set(model.segment(scene, [memory, Point(x=5, y=5)]).shares[0]) == {"region"}


def test_a_reference_to_the_scene_itself_is_an_anchor(model: Model, scene: Scene) -> None:
    click = Point(x=30, y=30)
    result = model.segment(scene, [Reference(image=scene, prompts=[click])])
    assert set(result.shares[0]) == {"reference"}
    both = model.segment(scene, [Reference(image=scene, prompts=[click]), Text(text="a dog", include=False)])
    assert set(both.shares[0]) == {"reference", "not phrase"}


def test_an_empty_request_is_refused(model: Model, scene: Scene) -> None:
    with pytest.raises(PromptError, match="no prompt was given"):
        model.segment(scene, [])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (Point(x=96, y=3), r"prompts\[1\] \(point of object '1'\): point x=96 lies outside the image"),
        (Box(x1=100, y1=0, x2=120, y2=9), r"prompts\[1\] \(box of object '1'\): box x1=100 lies outside"),
        (Mask(mask=np.ones((3, 4), bool)), r"prompts\[1\] .*the mask is 4 x 3 pixels"),
        ("a dog", r"prompts\[1\] is a str, not a prompt"),
    ],
    ids=["point", "box", "mask", "text"],
)
def test_a_wrong_prompt_is_named_by_its_index(model: Model, scene: Scene, wrong: Any, sentence: str) -> None:
    with pytest.raises(PromptError, match=sentence) as caught:
        model.segment(scene, [Point(x=3, y=3), wrong])
    assert caught.value.path is not None
    assert caught.value.path.startswith("prompts[1]")
    assert "\n" not in str(caught.value)


def test_memory_logits_of_another_size_are_refused(model: Model, scene: Scene) -> None:
    with pytest.raises(PromptError, match=r"memory logits have shape \(3, 4\), expected \(\d+, \d+\)"):
        model.segment(scene, [Memory(mask=np.array([[0.5, 1.5, -2, 3]] * 3, np.float32))])


def test_the_memory_of_a_prompt_takes_the_place_of_that_of_the_round(model: Model, scene: Scene) -> None:
    earlier = model.segment(scene, [Point(x=70, y=60)])
    assert earlier.logits is not None
    prompts: list[Prompt] = [Point(x=20, y=20), Memory(mask=np.tri(HEIGHT, WIDTH, dtype=bool))]
    plain = model.segment(scene, prompts)
    with_round = model.segment(scene, prompts, memory={"1": torch.tensor(earlier.logits[0])})
    assert np.array_equal(logits(plain), logits(with_round))
