"""Loading what was converted: from the cache, or refused with the command that helps."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import seemkit
from seemkit.assembly import Assembly
from seemkit.cache import cache_folder, converted_path
from seemkit.checkpoint.convert import convert_checkpoint
from seemkit.errors import WeightsError
from seemkit.weights import write_weights


@pytest.fixture
def convert(theirs: dict[str, Tensor], save: Any, tiny_assembly: Any, tmp_path: Path) -> Callable[..., Path]:
    """`convert("v0")`: a weights file of the tiny SEEM, as that variant."""

    def make(variant: str) -> Path:
        target = tmp_path / f"{variant}.safetensors"
        return convert_checkpoint(save(theirs, "mine.pt"), target, tiny_assembly(variant)).path

    return make


def test_weights_that_are_not_here_are_one_sentence_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise AssertionError("a network was built for nothing")

    monkeypatch.setattr("seemkit.pipeline.load.build_network", fail)
    with pytest.raises(WeightsError, match=r"get them with 'seemkit pull seem-focalt-v1', or give") as caught:
        seemkit.load("seem-focalt-v1")
    assert str(caught.value).count("\n") == 0
    assert "weights=None for random ones" in str(caught.value)
    assert caught.value.path == "weights"


def test_the_command_line_says_the_same_in_its_words(run: Any, tiny: Any, tmp_path: Path) -> None:
    from PIL import Image

    photo = tmp_path / "photo.png"
    Image.new("RGB", (64, 48)).save(photo)
    for name in ("seem-focalt-v1", tiny()):
        ended = run("segment", photo, "--point", "3,4", "-m", name)
        assert (ended.code, ended.out) == (2, "")
        assert f"the weights of '{name}' are not here yet; get them with 'seemkit pull {name}'" in ended.err
        assert "--weights none for random ones" in ended.err
        assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("made_for", "loaded_as", "fits"),
    [
        ("v0", "v0", True),
        ("v0", "demo", True),
        ("demo", "v0", True),
        ("v1", "v1", True),
        ("v0", "v1", False),
        ("demo", "v1", False),
        ("v1", "v0", False),
        ("v1", "demo", False),
    ],
)
def test_a_file_is_loaded_as_the_variant_that_it_records(
    made_for: str,
    loaded_as: str,
    fits: bool,
    convert: Callable[..., Path],
    tiny_assembly: Callable[..., Assembly],
) -> None:
    path = convert(made_for)
    if fits:
        seemkit.load(tiny_assembly(loaded_as), weights=path, device="cpu")
        return
    with pytest.raises(
        WeightsError, match=rf"holds weights of {made_for}, and the assembly computes as {loaded_as}"
    ) as caught:
        seemkit.load(tiny_assembly(loaded_as), weights=path, device="cpu")
    assert caught.value.suggestion == f"tiny-{made_for}"
    assert str(caught.value).count("\n") == 0


def test_a_file_that_was_converted_for_the_demo_as_v0_is_still_loaded(
    trained: dict[str, Tensor], tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    # earlier conversions for a demo recorded v0, whose files it has
    record = {"assembly": "tiny-demo", "variant": "v0"}
    path = write_weights(trained, tmp_path / "earlier.safetensors", record)
    for variant in ("v0", "demo"):
        seemkit.load(tiny_assembly(variant), weights=path, device="cpu")


def test_a_file_that_records_no_variant_needs_to_fit_only(
    trained: dict[str, Tensor], tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    path = tmp_path / "plain.safetensors"
    save_file({key: value.contiguous() for key, value in trained.items()}, path)
    for variant in ("v0", "v1", "demo"):
        seemkit.load(tiny_assembly(variant), weights=path, device="cpu")


def test_a_foreign_safetensors_file_is_one_sentence(
    tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"conv.weight": torch.ones(3)}, path, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="does not fit the assembly: it lacks") as caught:
        seemkit.load(tiny_assembly(), weights=path, device="cpu")
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("modern", [True, False], ids=["zip", "old form"])
def test_a_published_file_that_is_not_converted_says_the_command(
    modern: bool, theirs: dict[str, Tensor], save: Any, tiny: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = save(theirs, "seem tiny_v1.pt", _use_new_zipfile_serialization=modern)
    with pytest.raises(WeightsError, match="is a file of PyTorch, which is not loaded as it is") as caught:
        seemkit.load(tiny(), weights=source, device="cpu")
    said = str(caught.value)
    assert said.startswith("seem tiny_v1.pt is")
    command = said.partition("'seemkit ")[2][:-1]
    assert (said[-1], said.count("\n")) == ("'", 0)
    assert command == f"convert '{source}' -o 'seem tiny_v1.safetensors' --assembly NAME"
    monkeypatch.chdir(source.parent)
    assert run(*shlex.split(command.replace("NAME", str(tiny())))).code == 0
    seemkit.load(tiny(), weights="seem tiny_v1.safetensors", device="cpu")


def test_a_damaged_file_whose_length_looks_like_a_pickle_is_called_damaged(tiny: Any, tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes((0x280).to_bytes(8, "little") + b'{"a":')  # a header of 0x280 bytes that ends early
    with pytest.raises(WeightsError, match=r"cut\.safetensors is not a whole safetensors file"):
        seemkit.load(tiny(), weights=path, device="cpu")


def test_the_cache_is_where_the_variables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEMKIT_CACHE", "~/mine")
    assert cache_folder() == Path.home() / "mine"
    monkeypatch.setenv("SEEMKIT_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/xdg")
    assert cache_folder() == Path("/var/xdg/seemkit")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "seemkit"
    path = converted_path("xdecoder/SEEM", "seem_focalt_v1.pt", "main")
    assert path == cache_folder() / "weights/xdecoder--SEEM/main/seem_focalt_v1.safetensors"


def test_info_says_what_was_published_and_whether_it_is_here(run: Any, tiny: Any) -> None:
    said = run("info", "seem-focalt-v1").out
    assert "seem_focalt_v1.pt of xdecoder/SEEM, revision main" in said
    assert "not there: seemkit pull seem-focalt-v1" in said


def test_an_assembly_keeps_its_published_file_when_written_and_extended(
    tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    from seemkit.assembly import load_assembly

    first = tiny_assembly()
    (tmp_path / "again.yaml").write_text(first.to_yaml())
    again = load_assembly(tmp_path / "again.yaml")
    assert again.weights == first.weights
    assert again.weights_path() == first.weights_path()
    (tmp_path / "over.yaml").write_text("seemkit: 1\nextends: tiny-v1.yaml\npreprocess: {short: 32}\n")
    assert load_assembly(tmp_path / "over.yaml").weights_path() == first.weights_path()
    own = "seemkit: 1\nextends: tiny-v1.yaml\nweights: {file: own.safetensors}\n"
    (tmp_path / "own.yaml").write_text(own)
    assert load_assembly(tmp_path / "own.yaml").weights_path() == tmp_path / "own.safetensors"
