"""What numbers a file may hold: real ones, all finite; the names of the others are listed and nothing is written."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import seemkit
from seemkit.assembly import Assembly
from seemkit.checkpoint.convert import convert_checkpoint
from seemkit.checkpoint.fit import MisfitError, fit
from seemkit.errors import WeightsError

State = dict[str, Tensor]
OURS, THEIRS = "heads.class_proj", "sem_seg_head.predictor.class_embed"
KINDS = [torch.int64, torch.uint8, torch.bool, torch.complex64]


@pytest.fixture
def refused(save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path) -> Callable[..., MisfitError]:
    """Converts a state dict that does not fit, and gives the refusal."""

    def convert(state: State) -> MisfitError:
        target = tmp_path / "out.safetensors"
        with pytest.raises(MisfitError, match="and nothing was written") as caught:
            convert_checkpoint(save(state), target, tiny_assembly())
        assert not target.exists()
        return caught.value

    return convert


@pytest.mark.parametrize("dtype", KINDS)
def test_numbers_of_another_kind_are_listed(dtype: torch.dtype, theirs: State, refused: Any) -> None:
    theirs[THEIRS] = theirs[THEIRS].to(dtype)
    error = refused(theirs)
    assert error.mistyped == (OURS,)
    sentence, heading, line = str(error).splitlines()
    assert sentence.endswith(": 1 of another kind of numbers")
    assert heading.startswith("of another kind of numbers (")
    assert line.split() == [OURS, THEIRS, str(dtype).removeprefix("torch."), "float32"]


def test_a_file_of_integers_lists_every_name(
    theirs: State, trained: Mapping[str, Tensor], refused: Any
) -> None:
    error = refused({key: torch.zeros(x.shape, dtype=torch.int64) for key, x in theirs.items()})
    assert set(error.mistyped) == set(trained)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_are_listed(value: float, theirs: State, refused: Any) -> None:
    theirs[THEIRS] = theirs[THEIRS].clone()
    theirs[THEIRS][0, :3] = value
    error = refused(theirs)
    assert error.not_finite == (OURS,)
    assert str(error).splitlines()[-1].split() == [OURS, THEIRS, "3", "of", str(theirs[THEIRS].numel())]


def test_what_the_precision_of_the_network_does_not_hold_is_not_finite(theirs: State, refused: Any) -> None:
    theirs[THEIRS] = theirs[THEIRS].double().fill_(1e300)
    assert refused(theirs).not_finite == (OURS,)


def test_all_that_is_wrong_is_said_at_once(theirs: State, refused: Any) -> None:
    theirs[THEIRS] = theirs[THEIRS].long()
    theirs["backbone.norm0.bias"] = theirs["backbone.norm0.bias"] * float("nan")
    del theirs["backbone.norm0.weight"]
    error = refused(theirs)
    assert (error.mistyped, error.not_finite) == ((OURS,), ("image_encoder.out_norms.0.bias",))
    assert error.missing == ("image_encoder.out_norms.0.weight",)
    assert "1 missing, 1 of another kind of numbers, 1 not finite" in str(error)


def test_what_is_ignored_may_hold_anything(
    theirs: State, save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    theirs["dilation_kernel"] = torch.full((1, 1, 3, 3), float("nan"))
    theirs["criterion.empty_weight"] = torch.ones(4, dtype=torch.int64)
    assert convert_checkpoint(save(theirs), tmp_path / "out.safetensors", tiny_assembly()).path.is_file()


def test_integers_are_right_where_the_network_has_integers() -> None:
    # no published part has any; this is what a batch normalisation counts in
    name = "image_encoder.bn.num_batches_tracked"
    expected = {name: torch.zeros((), dtype=torch.int64)}
    given = {"backbone.bn.num_batches_tracked": torch.zeros((), dtype=torch.int32)}
    assert list(fit(given, expected, "focal")) == []
    assert list(fit({key: x.float() for key, x in given.items()}, expected, "focal")) == [name]


@pytest.mark.parametrize("dtype", [torch.int32, torch.bool, torch.complex64])
def test_a_weights_file_of_other_numbers_is_not_loaded(
    dtype: torch.dtype, theirs: State, save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    path = convert_checkpoint(save(theirs), tmp_path / "out.safetensors", tiny_assembly()).path
    stored = load_file(path)
    save_file({**stored, OURS: stored[OURS].to(dtype)}, path)
    held = str(dtype).removeprefix("torch.")
    with pytest.raises(WeightsError, match=rf"heads\.class_proj is {held}, expected float32") as caught:
        seemkit.load(tiny_assembly(), weights=path, device="cpu")
    assert (caught.value.path, str(caught.value).count("\n")) == (OURS, 0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_loaded(
    dtype: torch.dtype, theirs: State, save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    path = convert_checkpoint(save(theirs), tmp_path / "out.safetensors", tiny_assembly()).path
    stored = load_file(path)
    save_file({key: value.to(dtype) for key, value in stored.items()}, path)
    loaded = seemkit.load(tiny_assembly(), weights=path, device="cpu").network.state_dict()
    assert torch.equal(loaded[OURS], stored[OURS].to(dtype).float())
