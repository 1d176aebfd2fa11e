"""Prompt types that the tree does not know: they work once registered, with their learned parts or without."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import seemkit
from seemkit import Model, Scene
from seemkit.api import (
    Anchor,
    Dims,
    Draw,
    EncodeContext,
    Encoded,
    Grid,
    Group,
    Region,
    SpatialPrompt,
    TokenPrompt,
    read_prompt,
)
from seemkit.errors import PromptError
from seemkit.prompts import Mask, Point
from seemkit.weights import load_weights, save_weights

pytestmark = pytest.mark.usefixtures("plugins")


class Column(SpatialPrompt):
    """All pixels from one column of the image to another."""

    type: Literal["column"] = "column"
    start: float
    stop: float
    draw: ClassVar[Draw] = "none"

    def region(self, size: Grid) -> Region:
        mask = np.zeros(size.size, bool)
        (left, _), (right, _) = size.place([(self.start, 0), (self.stop, 0)])
        mask[:, int(left) : int(right)] = True
        return Region(mask, self.include)

    @classmethod
    def example(cls) -> Self:
        return cls(start=10, stop=20)


class Gaze(TokenPrompt):
    """Where somebody looked, through a learned layer."""

    type: Literal["gaze"] = "gaze"
    x: float
    y: float

    @classmethod
    def build(cls, dims: Dims) -> nn.Module:
        return nn.Linear(2, dims.channels)

    def encode(self, context: EncodeContext) -> Encoded:
        assert context.module is not None
        row = context.module(torch.tensor([[self.x, self.y]]) / 100)
        return Encoded((Group("phrase", row),), (Anchor("mask", row[0], "gaze", self.include),))

    @classmethod
    def example(cls) -> Self:
        return cls(x=20, y=15)


@pytest.fixture
def model(new_model: Callable[..., Model]) -> Model:
    return new_model()


def test_a_new_type_works_after_register(new_model: Callable[..., Model], photo: NDArray[np.uint8]) -> None:
    assert seemkit.register(Column) is Column
    model = new_model(preprocess={"short": None, "long": None})  # the image is its own input grid
    scene = model.encode(photo)
    result = model.segment(scene, [Column(start=10, stop=40), Column(start=30, stop=40, include=False)])
    mask = np.zeros(photo.shape[:2], bool)
    mask[:, 10:40] = True
    other = mask.copy()
    other[:, :30] = False
    same = model.segment(scene, [Mask(mask=mask), Mask(mask=other, include=False)])
    assert np.array_equal(result.logits, same.logits)
    by_json = read_prompt({"type": "column", "start": 10, "stop": 40})
    assert by_json == Column(start=10, stop=40)
    session = model.session(scene)
    assert len(session.add(by_json).result()) == 1


def test_registering_again_replaces(plugins: Any) -> None:
    seemkit.register(Column)

    @seemkit.register
    class Other(Column):
        """The same type in the next run of the cell."""

    assert type(read_prompt({"type": "column", "start": 1, "stop": 2})) is Other
    assert sum(c.name == "column" for c in plugins.components("prompts")) == 1


def test_a_learned_part_is_stored_under_distribution_and_name(new_model: Callable[..., Model]) -> None:
    seemkit.register(Gaze)
    model = new_model()
    state = model.network.state_dict()
    assert {n for n in state if n.startswith("prompts.local.")} == {
        "prompts.local.gaze.weight",
        "prompts.local.gaze.bias",
    }
    assert state["prompts.local.gaze.weight"].shape == (32, 2)
    assert model.network.plugins["local.gaze"]["distribution"] == "local"


def test_the_learned_part_answers(new_model: Callable[..., Model], photo: NDArray[np.uint8]) -> None:
    seemkit.register(Gaze)
    model = new_model()
    scene = model.encode(photo)
    before = model.segment(scene, Gaze(x=20, y=20))
    assert set(before.shares[0]) == {"gaze"}
    with torch.no_grad():
        model.network.prompts.get_submodule("local.gaze").weight.mul_(-3)
    assert not np.array_equal(before.logits, model.segment(scene, Gaze(x=20, y=20)).logits)


def test_an_assembly_may_leave_a_type_out(new_model: Callable[..., Model]) -> None:
    seemkit.register(Gaze)
    assert "local.gaze" not in new_model(prompts=["points"]).network.plugins


def test_a_type_that_came_after_the_model_is_refused(model: Model, photo: NDArray[np.uint8]) -> None:
    seemkit.register(Gaze)
    with pytest.raises(PromptError, match="'gaze' has a learned part that the model was not loaded with"):
        model.segment(photo, Gaze(x=20, y=20))


@pytest.fixture
def with_gaze(new_model: Callable[..., Model], tmp_path: Path) -> Path:
    """A weights file that holds a learned part of the type gaze."""
    seemkit.register(Gaze)
    return save_weights(new_model(seed=3).network, tmp_path / "gaze.safetensors", {"made by": "a test"})


def test_tensors_of_a_plugin_that_is_absent_survive(
    with_gaze: Path, assembly: Callable[..., dict[str, Any]], photo: NDArray[np.uint8], plugins: Any
) -> None:
    plugins.unregister("prompts", "gaze")
    model = seemkit.load(assembly(), weights=with_gaze, device="cpu")
    assert set(model.network.foreign) == {"prompts.local.gaze.weight", "prompts.local.gaze.bias"}
    assert len(model.segment(photo, Point(x=20, y=20))) == 1
    with pytest.raises(PromptError, match="'gaze' is not an installed prompt type"):
        read_prompt({"type": "gaze", "x": 1, "y": 1})

    again = save_weights(model.network, with_gaze.with_name("again.safetensors"), {})
    seemkit.register(Gaze)
    back = seemkit.load(assembly(), weights=again, device="cpu")
    first = seemkit.load(assembly(), weights=with_gaze, device="cpu")
    assert back.network.foreign == {}
    assert back.network.untrained == frozenset()
    click = Gaze(x=20, y=20)
    assert np.array_equal(back.segment(photo, click).logits, first.segment(photo, click).logits)


def test_the_record_of_an_absent_plugin_survives_too(
    with_gaze: Path, new_model: Callable[..., Model], plugins: Any
) -> None:
    recorded = load_weights(new_model().network, with_gaze)["plugins"]
    assert recorded == {"local.gaze": {"distribution": "local", "version": "", "api": seemkit.api.VERSION}}
    plugins.unregister("prompts", "gaze")
    network = new_model().network
    load_weights(network, with_gaze)
    again = save_weights(network, with_gaze.with_name("again.safetensors"), {}, half=True)
    assert load_weights(new_model().network, again)["plugins"] == recorded


def test_a_plugin_without_weights_is_untrained_and_refused_unless_allowed(
    new_model: Callable[..., Model],
    assembly: Callable[..., dict[str, Any]],
    photo: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    plain = save_weights(new_model().network, tmp_path / "plain.safetensors", {})
    seemkit.register(Gaze)
    model = seemkit.load(assembly(), weights=plain, device="cpu")
    assert model.network.untrained == {"local.gaze"}
    assert len(model.segment(photo, Point(x=20, y=20))) == 1
    with pytest.raises(PromptError) as caught:
        model.segment(photo, [Point(x=20, y=20), Gaze(x=20, y=20)])
    assert str(caught.value) == (
        "prompts[1] is a gaze, whose plugin 'local/gaze' is untrained, for the weights file has nothing for it; "
        "train it, or in Python load the model with allow_untrained=True"
    )
    allowed = seemkit.load(assembly(), weights=plain, device="cpu", allow_untrained=True)
    assert allowed.network.untrained == {"local.gaze"}
    assert len(allowed.segment(photo, Gaze(x=20, y=20))) == 1


def test_random_weights_are_nobodys_training_so_nothing_is_refused(
    new_model: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    seemkit.register(Gaze)
    assert len(new_model().segment(photo, Gaze(x=20, y=20))) == 1


def test_a_part_that_cannot_be_built_is_quarantined_and_the_rest_loads(
    new_model: Callable[..., Model], photo: NDArray[np.uint8], plugins: Any
) -> None:
    class Broken(Gaze):
        """Cannot be built."""

        type: Literal["broken"] = "broken"  # type: ignore[assignment]

        @classmethod
        def build(cls, dims: Dims) -> nn.Module:
            raise RuntimeError(f"no weights for {dims.channels} channels")

    seemkit.register(Broken)
    model = new_model()
    assert len(model.segment(photo, Point(x=20, y=20))) == 1
    (component,) = [c for c in plugins.components("prompts") if c.name == "broken"]
    assert component.state == "quarantined"
    assert "no weights for 32 channels" in component.fault.one_line
    with pytest.raises(PromptError, match=r"cannot be used: .*quarantined"):
        read_prompt({"type": "broken", "x": 1, "y": 1})


@pytest.mark.parametrize("name", ["type", "half", "keys"])
def test_a_name_that_torch_uses_cannot_hold_parameters(
    new_model: Callable[..., Model], plugins: Any, name: str
) -> None:
    seemkit.register(Gaze, name=name)
    new_model()
    (component,) = [c for c in plugins.components("prompts") if c.name == name]
    assert f"under the name 'local.{name}'" in component.fault.one_line


class Wrong(TokenPrompt):
    """Returns what it is told to."""

    type: Literal["wrong"] = "wrong"
    answer: ClassVar[object] = None

    def encode(self, context: EncodeContext) -> Encoded:
        return type(self).answer(context)  # type: ignore[operator,no-any-return]

    @classmethod
    def example(cls) -> Self:
        return cls()


def rows(count: int = 2, width: int = 32) -> torch.Tensor:
    return torch.zeros(count, width)


ANCHOR = Anchor("mask", torch.ones(32), "wrong")
WRONG: dict[str, tuple[Callable[[EncodeContext], object], str]] = {
    "not encoded": (lambda c: [rows()], "was encoded to a list, expected Encoded"),
    "width": (
        lambda c: Encoded((Group("phrase", rows(2, 7)),)),
        r"rows of shape \(2, 7\), expected \(T, 32\)",
    ),
    "one row": (lambda c: Encoded((Group("phrase", torch.zeros(32)),)), r"rows of shape \(32,\)"),
    "levels": (
        lambda c: Encoded((Group("region", (rows(),) * 2, persist=False),)),
        "for 2 levels, expected 3",
    ),
    "position": (lambda c: Encoded((Group("phrase", rows(), rows(3)),)), "differ in shape"),
    "positions": (lambda c: Encoded((Group("phrase", rows(), (rows(),) * 3),)), "positions for 3 levels"),
    "padding": (
        lambda c: Encoded((Group("phrase", rows(), padding=torch.zeros(2)),)),
        "padding of torch.float",
    ),
    "query": (lambda c: Encoded((Group("query", rows()),)), "reads the whole image"),
    "memory": (lambda c: Encoded((Group("memory", rows()),)), "expected such rows to be limited"),
    "limit": (lambda c: Encoded((Group("memory", rows(), attends=rows()),)), r"logits of shape \(2, 32\)"),
    "limited phrase": (
        lambda c: Encoded((Group("phrase", rows(), attends=c.scene.fine[0]),)),
        "does not read the image",
    ),
    "mask anchor": (lambda c: Encoded((), (Anchor("mask", torch.ones(5), "x"),)), r"anchor of shape \(5,\)"),
    "class anchor": (lambda c: Encoded((), (Anchor("class", rows(), "x"),)), r"expected \(32,\)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_plugin_returns_is_held_against_the_network(
    model: Model, photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    answer, sentence = WRONG[case]
    monkeypatch.setattr(Wrong, "answer", staticmethod(answer))
    with pytest.raises(PromptError, match=f"the wrong prompt of object '1' .*{sentence}"):
        model.segment(photo, [Point(x=20, y=20), Wrong()])


@pytest.fixture
def scene(model: Model, photo: NDArray[np.uint8]) -> Scene:
    return model.encode(photo)


def test_rows_that_do_not_persist_may_be_the_same_for_every_level(
    model: Model, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = torch.randn(3, 32)
    logits = []
    for rows in (content, (content,) * 3):
        encoded = Encoded((Group("reference", rows, persist=False),), (ANCHOR,))
        monkeypatch.setattr(Wrong, "answer", staticmethod(lambda context, encoded=encoded: encoded))
        logits.append(model.segment(scene, Wrong()).logits)
    assert np.array_equal(*logits)
    persistent = Encoded((Group("reference", content),), (ANCHOR,))
    monkeypatch.setattr(Wrong, "answer", staticmethod(lambda context: persistent))
    assert not np.array_equal(model.segment(scene, Wrong()).logits, logits[0])


def test_padded_rows_of_a_plugin_are_left_out(
    model: Model, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = torch.randn(3, 32)
    logits = []
    padded = torch.cat((torch.full((2, 32), float("nan")), content))
    padding = torch.tensor([True, True, False, False, False])
    for group in (Group("phrase", content), Group("phrase", padded, padding=padding)):
        encoded = Encoded((group,), (ANCHOR,))
        monkeypatch.setattr(Wrong, "answer", staticmethod(lambda context, encoded=encoded: encoded))
        logits.append(model.segment(scene, Wrong()).logits)
    assert np.array_equal(*logits)


def test_two_limited_groups_keep_their_own_limits(
    model: Model, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Any]] = []
    forward = model.network.decoder.forward

    def spy(prepared: Any, batches: Any, *given: Any, **more: Any) -> Any:
        seen.append([b for b in batches if b.role == "memory"])
        return forward(prepared, batches, *given, **more)

    monkeypatch.setattr(model.network.decoder, "forward", spy)
    left, right = (torch.full_like(scene.fine[0], -1.0) for _ in range(2))
    left[:, :8], right[:, 8:] = 1, 1
    groups = tuple(Group("memory", rows(), attends=limit) for limit in (left, right))
    encoded = Encoded(groups, (ANCHOR,))
    monkeypatch.setattr(Wrong, "answer", staticmethod(lambda context: encoded))
    model.segment(scene, [Wrong(), Point(x=3, y=3, object="2")])
    first, second = seen[0]
    assert torch.equal(first.attends[0], left)
    assert torch.equal(second.attends[0], right)
    assert first.padding.tolist() == [[False, False], [True, True]]
