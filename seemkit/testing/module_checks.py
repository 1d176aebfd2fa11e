"""What is asked of any torch module: it compiles, exports, saves and copies without a change of results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from seemkit.testing.violation import demand, fail, one_line

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = [
    "compiled_equals",
    "exported_equals",
    "flat",
    "gap",
    "reload_weights",
    "same_tensors",
]

CLOSE = 1e-4
"""Of results, relative to their largest value: what another order of summing may change in float32."""


def flat(outputs: object) -> list[Tensor]:
    """Every tensor of a result, in order."""
    from torch.utils._pytree import tree_leaves

    return [leaf for leaf in tree_leaves(outputs) if hasattr(leaf, "dtype")]


def gap(a: object, b: object) -> float:
    """The largest difference of two results, relative to the largest value of each tensor; inf if not alike."""
    first, second = flat(a), flat(b)
    if len(first) != len(second) or any(x.shape != y.shape for x, y in zip(first, second, strict=True)):
        return float("inf")
    gaps = [
        float((x.double() - y.double()).abs().max() / x.double().abs().max().clamp(min=1e-6))
        for x, y in zip(first, second, strict=True)
        if x.numel()
    ]
    return max((g if g == g else float("inf") for g in gaps), default=0.0)


def compiled_equals(module: nn.Module, args: tuple[Any, ...], keywords: Mapping[str, Any] = {}) -> None:
    """Fail unless torch.compile traces the module in one graph and its results are equal."""
    import torch

    expected = module(*args, **keywords)
    try:
        make = partial(torch.compile, module, fullgraph=True, backend="eager")
        _alike(make, expected, args, keywords, "compiled")
    finally:
        torch._dynamo.reset()


def exported_equals(module: nn.Module, args: tuple[Any, ...], keywords: Mapping[str, Any] = {}) -> None:
    """Fail unless torch.export takes the module and its results are equal."""
    import torch

    expected = module(*args, **keywords)
    _alike(
        lambda: torch.export.export(module, args, dict(keywords)).module(),
        expected,
        args,
        keywords,
        "exported",
    )


def _alike(
    make: Callable[[], Any], expected: object, args: tuple[Any, ...], keywords: Mapping[str, Any], how: str
) -> None:
    import torch

    try:
        with torch.no_grad():
            found = make()(*args, **keywords)
    except Exception as error:  # torch has many
        fail(f"could not be {how}: {type(error).__name__}: {one_line(error, 160)}")
    off = gap(expected, found)
    demand(off <= CLOSE, f"gave results that differ by {off:.2g} of the largest value when {how}")


def reload_weights(module: nn.Module, fresh: nn.Module) -> nn.Module:
    """`fresh` with the weights of `module`, which went through a safetensors file."""
    from safetensors.torch import load, save

    state = {name: x.detach().contiguous() for name, x in module.state_dict().items()}
    try:
        data = save(state)
    except Exception as error:  # of safetensors: tensors that share memory
        fail(f"has weights that safetensors refuses: {one_line(error, 160)}")
    fresh.load_state_dict(load(data), strict=True)
    return fresh.eval()


def same_tensors(before: Mapping[str, Tensor], after: Mapping[str, Tensor], sentence: str) -> None:
    """Fail with `sentence`, which takes the names, unless two sets of named tensors are equal, bit by bit."""
    changed = [n for n in sorted({*before, *after}) if n not in before or n not in after]
    changed += [
        n for n, x in before.items() if n in after and not (x.equal(after[n]) or _both_nan(x, after[n]))
    ]
    demand(not changed, sentence.format(", ".join(changed[:3])))


def _both_nan(a: Tensor, b: Tensor) -> bool:
    same_shape = a.shape == b.shape and a.is_floating_point()
    return bool(same_shape and a.nan_to_num().equal(b.nan_to_num()) and a.isnan().equal(b.isnan()))
