"""Means of weights files: by hand, in the form of the first, and what cannot be mixed."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from seemkit.errors import WeightsError
from seemkit.training.soup import main, mean_of
from seemkit.weights import read_weights, write_weights
from seemkit.weights_bytes import from_bytes, to_bytes


def weights(path: Path, tensors: dict[str, Tensor], **about: object) -> Path:
    return write_weights(tensors, path, {"assembly": "tiny", **about})


def test_the_mean_counts_each_file_as_often_as_is_said(tmp_path: Path) -> None:
    one = weights(
        tmp_path / "a.safetensors", {"w": torch.tensor([1.0, 2.0]), "n": torch.tensor(3)}, recipe="a"
    )
    two = weights(
        tmp_path / "b.safetensors", {"w": torch.tensor([5.0, 6.0]), "n": torch.tensor(7)}, recipe="b"
    )
    about, mixed = read_weights(mean_of([(one, 3), (two, 1)], tmp_path / "c.safetensors"))
    assert mixed["w"].tolist() == [2.0, 3.0]
    assert mixed["n"].item() == 3  # counts are the first file's
    assert about["recipe"] == "mean of 3 x a, 1 x b"
    assert about["assembly"] == "tiny"


def test_what_all_have_alike_stays_to_the_last_bit_and_the_rest_is_stored_as_it_was(tmp_path: Path) -> None:
    torch.manual_seed(0)
    frozen, moved = torch.randn(64, 80), torch.randn(64, 80)
    paths = [
        weights(
            tmp_path / f"{k}.safetensors",
            {**to_bytes({"frozen": frozen, "moved": moved + k}), "h": moved.half() + k},
        )
        for k in (0, 1)
    ]
    _, first = read_weights(paths[0])
    _, mixed = read_weights(mean_of([(path, 1) for path in paths], tmp_path / "mean.safetensors"))
    assert {name: x.dtype for name, x in mixed.items()} == {name: x.dtype for name, x in first.items()}
    assert torch.equal(mixed["frozen"], first["frozen"])
    assert torch.equal(mixed["frozen:scale"], first["frozen:scale"])
    step = 4.5 / 127  # of 8 bits, for values of at most 4.5
    assert (from_bytes(mixed)["moved"] - (moved + 0.5)).abs().max() < 2 * step
    assert torch.allclose(mixed["h"].float(), moved + 0.5, atol=4e-3)


def test_a_part_that_some_lack_is_the_mean_of_the_others(tmp_path: Path) -> None:
    new = weights(tmp_path / "new.safetensors", {"w": torch.zeros(2), "new": torch.ones(2)})
    old = weights(tmp_path / "old.safetensors", {"w": torch.ones(2)})
    _, mixed = read_weights(mean_of([(new, 1), (old, 1)], tmp_path / "mean.safetensors"))
    assert mixed["w"].tolist() == [0.5, 0.5]
    assert mixed["new"].tolist() == [1.0, 1.0]
    with pytest.raises(WeightsError, match=r"'new', which .*old.safetensors lacks; name it first"):
        mean_of([(old, 1), (new, 1)], tmp_path / "mean.safetensors")


def test_other_shapes_and_shares_are_refused(tmp_path: Path) -> None:
    one = weights(tmp_path / "a.safetensors", {"w": torch.zeros(2)})
    two = weights(tmp_path / "b.safetensors", {"w": torch.zeros(3)})
    with pytest.raises(WeightsError, match=r"\(3,\) in .*b.safetensors and \(2,\) in"):
        mean_of([(one, 1), (two, 1)], tmp_path / "mean.safetensors")
    for share in (0, float("inf"), float("nan")):
        with pytest.raises(WeightsError, match=f"counts {share:g}, expected a number above 0"):
            mean_of([(one, share)], tmp_path / "mean.safetensors")
    with pytest.raises(WeightsError, match="no weights to take the mean of"):
        mean_of([], tmp_path / "mean.safetensors")


def test_the_command_takes_folders_of_runs_and_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    weights(tmp_path / "run/weights.safetensors", {"w": torch.zeros(2)})
    weights(tmp_path / "b.safetensors", {"w": torch.ones(2)})
    main([str(tmp_path / "mean.safetensors"), str(tmp_path / "run"), f"{tmp_path / 'b.safetensors'}=3"])
    assert "wrote" in capsys.readouterr().out
    assert read_weights(tmp_path / "mean.safetensors")[1]["w"].tolist() == [0.75, 0.75]
    for wrong, said in (
        (f"{tmp_path / 'run'}=many", "expected a number"),
        (str(tmp_path / "no"), "no weights file"),
    ):
        with pytest.raises(SystemExit) as left:
            main([str(tmp_path / "mean.safetensors"), wrong])
        assert left.value.code == 2
        assert said in capsys.readouterr().err
