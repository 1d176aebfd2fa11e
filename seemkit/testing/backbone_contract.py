"""The contract of backbones, and its checks without pytest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from seemkit.components import BackboneShape
from seemkit.testing.allocation import allocated
from seemkit.testing.component_case import ComponentChecks
from seemkit.testing.contract import check, named
from seemkit.testing.module_checks import compiled_equals, exported_equals, flat, gap
from seemkit.testing.report import Report
from seemkit.testing.violation import demand, fail, one_line, skip

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["BackboneContract", "check_backbone"]

CLOSE = 1e-4
"""Relative to the largest value: what another batch or memory layout may change in float32."""
ROUGH = 0.1
"""Relative to the norm: what bfloat16, with its 8 bits, may change."""
STRIDES = (4, 8, 16, 32)
ODD = (50, 70)
SIZES = ((70, 50), (33, 200), (129, 129))


class BackboneContract(ComponentChecks):
    """What every backbone is held to; a subclass in a test file names it as ``backbone``.

    Attributes:
        backbone: the object behind the entry point.
        options: to build it with; choose small ones.
    """

    kind: ClassVar[str] = "backbones"
    backbone: ClassVar[Any]

    @classmethod
    def component(cls) -> object:
        """The backbone."""
        return named(cls, "backbone")

    def shape(self) -> BackboneShape:
        """What the backbone declares."""
        found: BackboneShape = self.backbone.declare(self.settings())
        return found

    def image(self, size: tuple[int, int] = ODD, batch: int = 1, seed: int = 0) -> Tensor:
        """(B, 3, H, W) normalised noise of the padded size, or of the fixed size."""
        import torch

        shape = self.shape()
        height, width = shape.fixed_size or tuple(-(-n // shape.divisor) * shape.divisor for n in size)
        return torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))

    def outputs(self, module: nn.Module) -> tuple[Tensor, ...]:
        """The maps of one image."""
        return run(module, self.image())

    def between(self, module: nn.Module) -> None:
        """The maps of another image."""
        run(module, self.image(seed=7))

    @check(
        "A backbone declares a BackboneShape: four widths, strides 4, 8, 16 and 32, and a divisor of its input",
        why="The pixel decoder is built for what is declared.",
        mend="return BackboneShape(channels=(a, b, c, d)) with a divisor that 32 divides or that divides 32",
    )
    def test_the_declaration_is_sane(self) -> None:
        shape = self.shape()
        if not isinstance(shape, BackboneShape):
            fail(f"declared a {type(shape).__name__}")
        whole = len(shape.channels) == 4 and all(isinstance(c, int) and c > 0 for c in shape.channels)
        demand(whole, f"declared the widths {shape.channels}")
        demand(tuple(shape.strides) == STRIDES, f"declared the strides {shape.strides}")
        demand(shape.divisor > 0 and shape.divisor % 32 == 0, f"declared the divisor {shape.divisor}")
        fixed = shape.fixed_size
        demand(fixed is None or all(n > 0 and n % 32 == 0 for n in fixed), f"declared the fixed size {fixed}")

    @check(
        "Mean and standard deviation are of RGB in [0, 255], or None for ImageNet's",
        why="An image normalised on the wrong scale looks black to the network, and nothing fails.",
        mend="multiply by 255 what is given for [0, 1]",
    )
    def test_mean_and_deviation_are_on_the_scale_of_pixels(self) -> None:
        shape = self.shape()
        for name, values, least in (("mean", shape.mean, 0.0), ("std", shape.std, 2.0)):
            if values is None:
                continue
            right = len(values) == 3 and all(least <= v <= 255 for v in values)
            demand(right, f"declared {name}={values}")
            demand(name == "std" or not any(0 < v <= 1 for v in values), f"declared {name}={values}")

    @check(
        "For an image of any size, padded to the divisor, the maps have the declared widths and strides",
        why="Everything behind the backbone is built for these shapes.",
        mend="declare what comes out, and return four maps (B, C, H / stride, W / stride), finest first",
    )
    def test_the_maps_are_as_declared(self) -> None:
        self._demand_shapes(self.image(batch=2))

    @check(
        "A backbone that declares a closer look gives maps of those widths by its method `closer`",
        why="Names that are asked for are read from them.",
        mend="return maps (B, C_i, h, w), one for each width in `closer`, or declare none",
    )
    def test_a_closer_look_is_as_declared(self) -> None:
        wanted = self.shape().closer
        if not wanted:
            skip("it looks no closer, and says so")
        look = getattr(self.build(), "closer", None)
        demand(callable(look), f"declared closer={wanted} and has no method of that name")
        found = [tuple(x.shape) for x in look(self.image(batch=2))] if look is not None else []
        right = [shape[:2] for shape in found] == [(2, width) for width in wanted]
        demand(
            right and all(len(shape) == 4 for shape in found), f"gave maps {found} for the widths {wanted}"
        )

    @check(
        "A backbone without a fixed size takes images of any aspect",
        why="Photos are padded, not cropped or squeezed.",
        mend="declare fixed_size=(H, W) for a network that takes one size only, or interpolate positions",
    )
    def test_it_takes_any_aspect(self) -> None:
        if self.shape().fixed_size is not None:
            skip(f"it takes {self.shape().fixed_size} only, and says so")
        for size in SIZES:
            self._demand_shapes(self.image(size))

    @check(
        "Images of a batch are encoded as if each were alone",
        why="Scenes encoded together have to be those encoded one by one.",
        mend="use no statistics over the batch in evaluation",
    )
    def test_a_batch_is_as_its_images(self) -> None:
        module, images = self.build(), self.image(batch=3)
        together = run(module, images)
        for i in range(3):
            off = gap(run(module, images[i : i + 1]), [x[i : i + 1] for x in together])
            demand(
                off <= CLOSE, f"gave maps that differ by {off:.2g} of the largest value in a batch of three"
            )

    @check(
        "A uniform image gives finite maps",
        why="Black frames and masked photos are real input.",
        mend="add an epsilon where something is divided by a norm or a deviation",
    )
    def test_a_uniform_image_gives_finite_maps(self) -> None:
        import torch

        module, like = self.build(), self.image()
        for value in (0.0, -2.1, 2.6):
            maps = run(module, torch.full_like(like, value))
            demand(all(x.isfinite().all() for x in maps), f"gave NaN or infinity for an image of {value}")

    @check(
        "The input is left as it is",
        why="The same tensor is used again, by augmentation and by teachers.",
        mend="use no operation that ends in '_' on the input",
    )
    def test_the_input_is_left_as_it_is(self) -> None:
        module, image = self.build(), self.image()
        before = image.clone()
        run(module, image)
        demand(image.equal(before), "changed its input")

    @check(
        "A gradient of the four maps reaches every trainable parameter",
        why="A parameter that none reaches is dead weight, and stops training on several devices.",
        mend="leave out layers that no map comes from, and use no detach() in forward()",
    )
    def test_gradients_reach_every_parameter(self) -> None:
        module = self.build()
        loss = sum(x.float().square().mean() for x in flat(module(self.image())))
        loss.backward()  # type: ignore[union-attr]
        trainable = [(n, p) for n, p in module.named_parameters() if p.requires_grad]
        lacking = [n for n, p in trainable if p.grad is None or not p.grad.isfinite().all()]
        names = ", ".join(lacking[:3])
        demand(not lacking, f"let no finite gradient reach {names}, {len(lacking)} of {len(trainable)}")

    @check(
        "In bfloat16 the maps are finite and close to those in float32",
        why="Large models are run in half precision.",
        mend="name no dtype in forward(), and compute sums and norms that overflow in float32",
    )
    def test_bfloat16_is_close(self) -> None:
        import torch

        module, image = self.build(), self.image()
        expected = run(module, image)
        found = run(module.to(torch.bfloat16), image.to(torch.bfloat16))
        for level, (x, y) in enumerate(zip(expected, found, strict=True)):
            demand(y.dtype == torch.bfloat16, f"gave map {level} in {y.dtype} from weights in bfloat16")
            demand(y.isfinite().all(), f"gave NaN or infinity in map {level} in bfloat16")
            off = float((x - y.float()).norm() / x.norm().clamp(min=1e-6))
            demand(off <= ROUGH, f"gave map {level} {off:.0%} off in bfloat16")

    @check(
        "An input in channels_last memory gives equal maps",
        why="It is faster on most devices, and callers choose it.",
        mend="use reshape() instead of view(), and look at shapes instead of strides",
    )
    def test_channels_last_is_equal(self) -> None:
        import torch

        module, image = self.build(), self.image(batch=2)
        expected = run(module, image)
        found = run(module, image.contiguous(memory_format=torch.channels_last))
        off = gap(expected, found)
        demand(off <= CLOSE, f"gave maps that differ by {off:.2g} of the largest value in channels_last")

    @check(
        "Under torch.compile the network is one graph, with equal maps",
        why="Training and serving compile the whole model.",
        mend="avoid branches on tensor values, .item(), printing and Python state in forward()",
    )
    def test_it_compiles(self) -> None:
        module = self.build().requires_grad_(False)
        compiled_equals(module, (self.image(),))

    @check(
        "Under torch.export the network goes through whole, with equal maps",
        why="Exported models leave Python.",
        mend="avoid branches on tensor values, .item(), printing and Python state in forward()",
    )
    def test_it_exports(self) -> None:
        module = self.build().requires_grad_(False)
        exported_equals(module, (self.image(),))

    @check(
        "Built on torch's meta device, a backbone allocates next to nothing",
        why="Configurations are tried, and memory is planned, without any weight.",
        mend="make tensors in the constructor without naming a device, and read no values from them",
    )
    def test_it_builds_on_the_meta_device(self) -> None:
        import torch

        if self.settings().model_dump().get("pretrained"):
            skip("its options ask for pretrained weights")
        made: list[nn.Module] = []

        def build() -> None:
            with torch.device("meta"):
                made.append(self.backbone.build(self.settings()))

        try:
            used = allocated(build)
        except (RuntimeError, NotImplementedError) as error:
            fail(f"could not be built there: {one_line(error, 160)}")
        module = made[0]
        size = sum(x.numel() * x.element_size() for x in module.parameters())
        demand(used <= max(65_536, size // 20), f"allocated {used} bytes for weights of {size}")
        real = [n for n, p in module.named_parameters() if p.device.type != "meta"]
        demand(not real, f"put {', '.join(real[:3])} on a real device")

    def _demand_shapes(self, image: Tensor) -> None:
        shape, (batch, _, height, width) = self.shape(), image.shape
        expected = [
            (batch, c, height // s, width // s) for c, s in zip(shape.channels, shape.strides, strict=True)
        ]
        found = [tuple(x.shape) for x in run(self.build(), image)]
        demand(
            found == expected,
            f"gave maps {found} for an image of {height} x {width}, where it declared {expected}",
        )


def run(module: nn.Module, image: Tensor) -> tuple[Tensor, ...]:
    """The maps of images, without gradients."""
    import torch

    with torch.no_grad():
        return tuple(flat(module(image)))


def check_backbone(
    backbone: object, options: Mapping[str, object] | None = None, *, only: Iterable[str] | None = None
) -> Report:
    """Hold a backbone to the contract, without pytest.

    Args:
        backbone: the object behind the entry point.
        options: to build it with; choose small ones.
        only: names of checks to run; by default all.
    """
    contract = cast(
        type[BackboneContract],
        type("Checked", (BackboneContract,), {"backbone": backbone, "options": dict(options or {})}),
    )
    return contract.report(only)
