"""Backbones and text encoders that do not keep their word: one sentence names the plugin and the way out."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import BaseModel
from torch import Tensor, nn

import seemkit
from seemkit.api import BackboneShape, Phrase
from seemkit.errors import SeemkitError
from seemkit.prompts import Point, Text

WAY_OUT = "choose another with -s backbone=NAME"


class Steps(nn.Module):
    """Four maps of four channels at strides 4, 8, 16 and 32, changed by a function."""

    def __init__(self, change: Callable[[list[Tensor]], object]) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 4, 4)
        self.change = change

    def forward(self, image: Tensor) -> object:
        x = self.convolution(image)
        return self.change([x, x[..., ::2, ::2], x[..., ::4, ::4], x[..., ::8, ::8]])


def backbone(change: Callable[[list[Tensor]], object], shape: object = None) -> type:
    """A component whose backbone gives what `change` makes of right maps."""

    class Bad:
        """A backbone that does not keep its word."""

        class Options(BaseModel):
            """None."""

        @staticmethod
        def declare(options: BaseModel) -> object:
            return shape or BackboneShape((4, 4, 4, 4))

        @staticmethod
        def build(options: BaseModel) -> nn.Module:
            return Steps(change)

    return Bad


@pytest.fixture
def install(plugins: Any) -> Iterator[Callable[..., None]]:
    """Registers a component of a distribution `acme`."""
    kinds: set[str] = set()

    def register(kind: str, component: type) -> None:
        plugins.register(kind, "bad", component, distribution="acme")
        kinds.add(kind)

    yield register
    for kind in kinds:
        plugins.unregister(kind, "bad", distribution="acme")


def nan(maps: list[Tensor]) -> list[Tensor]:
    maps[2] = maps[2].clone()
    maps[2][..., 0, 0] = float("nan")
    return maps


LIES: dict[str, tuple[Callable[[list[Tensor]], object], str]] = {
    "right": (lambda maps: maps, ""),
    "channels": (
        lambda maps: [*maps[:3], maps[3][:, :2]],
        r"map 3 as \(1, 2, 2, 3\) where it declares 4 channels",
    ),
    "strides": (lambda maps: [maps[0], *maps[:3]], r"map 1 .* where it declares 4 channels at stride 8"),
    "order": (lambda maps: maps[::-1], r"map 0 as \(1, 4, 2, 3\) where .* stride 4"),
    "channels last": (lambda maps: [x.permute(0, 2, 3, 1) for x in maps], r"map 0 as \(1, 16, 24, 4\)"),
    "too few": (lambda maps: maps[:3], "gave 3 maps where it declares 4"),
    "one tensor": (lambda maps: maps[0], "gave a Tensor, expected a list or tuple of 4 tensors"),
    "a dict": (lambda maps: dict(enumerate(maps)), "gave a dict, expected a list"),
    "not tensors": (
        lambda maps: [x.detach().numpy() for x in maps],
        "gave a list, expected a list or tuple of 4 tensors",
    ),
    "half": (lambda maps: [x.half() for x in maps], "map 0 as float16 for an input of float32"),
    "double": (lambda maps: [x.double() for x in maps], "map 0 as float64 for an input of float32"),
    "integers": (lambda maps: [x.long() for x in maps], "map 0 as int64 for an input of float32"),
    "not a number": (nan, "numbers that are not finite in map 2"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_backbone_that_lies_is_named_and_others_go_on(
    lie: str,
    install: Callable[..., None],
    new_model: Callable[..., Any],
    tiny_model: Callable[[], Any],
    photo: NDArray[np.uint8],
) -> None:
    change, says = LIES[lie]
    install("backbones", backbone(change))
    model = new_model(backbone="acme/bad")
    if not says:
        assert len(model.segment(photo, Point(x=20, y=20))) == 1
        return
    with pytest.raises(SeemkitError, match=says) as caught:
        model.encode(photo)
    sentence = str(caught.value)
    assert sentence.startswith("the backbone 'bad' of the plugin 'acme' gave ")
    assert sentence.endswith(WAY_OUT)
    assert "\n" not in sentence
    assert caught.value.path == "backbone"
    assert len(tiny_model().segment(photo, Point(x=20, y=20))) == 1


def raising(error: Exception, where: str) -> type:
    """A component whose `declare` or `build` raises."""

    def fail(options: BaseModel) -> object:
        raise error

    return type("Bad", (backbone(lambda maps: maps),), {where: staticmethod(fail)})


@pytest.mark.parametrize("where", ["declare", "build"])
@pytest.mark.parametrize(
    "error", [KeyError("depth"), RuntimeError("no driver"), ImportError("libcudart.so.99")]
)
def test_a_component_that_raises_while_it_is_built_is_named(
    where: str, error: Exception, install: Callable[..., None], assembly: Callable[..., dict[str, Any]]
) -> None:
    install("backbones", raising(error, where))
    with pytest.raises(SeemkitError) as caught:
        seemkit.load(assembly(backbone="acme/bad"), weights=None)
    assert str(caught.value).startswith(
        f"assembly 'tiny-seem-v1' cannot be built: {where} of the backbone 'bad' of the plugin 'acme' raised "
        f"{type(error).__name__}: "
    )
    assert str(caught.value).endswith(WAY_OUT)


def test_what_is_no_shape_and_no_module_is_named(
    install: Callable[..., None], assembly: Callable[..., dict[str, Any]]
) -> None:
    install("backbones", backbone(lambda maps: maps, shape=(4, 4, 4, 4)))
    with pytest.raises(
        SeemkitError, match="'bad' of the plugin 'acme' declares a tuple, expected a BackboneShape"
    ):
        seemkit.load(assembly(backbone="acme/bad"), weights=None)
    install("backbones", type("Odd", (backbone(len),), {"build": staticmethod(lambda options: 3)}))
    with pytest.raises(
        SeemkitError, match=r"'bad' of the plugin 'acme' built a int, expected a torch\.nn\.Module"
    ):
        seemkit.load(assembly(backbone="acme/bad"), weights=None)


def texts(change: Callable[[Sequence[str]], list[Phrase]]) -> type:
    """A text encoder of width 32 that gives what it is told to."""

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dim = 32
            self.logit_scale = nn.Parameter(torch.zeros(()))

        def encode(self, given: Sequence[str]) -> list[Phrase]:
            return change(given)

    class Bad:
        class Options(BaseModel):
            """None."""

        @staticmethod
        def declare(options: BaseModel) -> int:
            return 32

        @staticmethod
        def build(options: BaseModel) -> nn.Module:
            return Encoder()

    return Bad


def phrase(width: int = 32, rows: int = 2, fill: float = 0.5) -> Phrase:
    return Phrase(tokens=torch.full((rows, width), fill), embedding=torch.full((width,), fill))


PHRASES: dict[str, tuple[Callable[[Sequence[str]], list[Phrase]], str]] = {
    "width": (
        lambda given: [phrase(16) for _ in given],
        r"\(2, 16\) and an embedding \(16,\), but declares a width of 32",
    ),
    "count": (lambda given: [], "gave 0 phrases for 1 texts"),
    "no tokens": (lambda given: [phrase(rows=0) for _ in given], r"gave tokens \(0, 32\)"),
    "not a number": (lambda given: [phrase(fill=float("nan")) for _ in given], "numbers that are not finite"),
}


@pytest.mark.parametrize("lie", PHRASES)
def test_a_text_encoder_that_lies_is_refused_and_other_prompts_go_on(
    lie: str, install: Callable[..., None], new_model: Callable[..., Any], photo: NDArray[np.uint8]
) -> None:
    change, says = PHRASES[lie]
    install("text_encoders", texts(change))
    model = new_model(text_encoder="acme/bad")
    with pytest.raises(
        SeemkitError, match=f"the text encoder 'bad' of the plugin 'acme' .*{says}.*text_encoder=NAME$"
    ):
        model.segment(photo, Text(text="dog"))
    assert len(model.segment(photo, Point(x=20, y=20))) == 1


def test_a_rival_of_a_built_in_name_does_not_take_the_shipped_assemblies(plugins: Any) -> None:
    plugins.register("backbones", "timm", backbone(len), distribution="rival")
    try:
        assert seemkit.load("nano", weights=None).assembly.backbone.component == "seemkit/timm"
    finally:
        plugins.unregister("backbones", "timm", distribution="rival")


def test_an_assembly_whose_plugin_was_uninstalled_says_what_to_install(
    assembly: Callable[..., dict[str, Any]],
) -> None:
    with pytest.raises(
        ValueError, match=r"backbones 'acme/gone' is of the distribution 'acme'.*pip install .*acme"
    ):
        seemkit.load(assembly(backbone="acme/gone"), weights=None)
    with pytest.raises(ValueError, match=r"no backbones component is named 'zzzz'; .* install that plugin"):
        seemkit.load(assembly(backbone="zzzz"), weights=None)
