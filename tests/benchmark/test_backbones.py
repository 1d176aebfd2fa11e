"""Backbones side by side: what is measured, whose accuracy is told, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

import seemkit
from seemkit.assembly import load_assembly
from seemkit.benchmark.backbone_names import BackboneName
from seemkit.benchmark.backbones import BackboneTable, compare_backbones
from seemkit.cli.main import cli
from seemkit.data.sample import Sample, SampleObject
from seemkit.errors import SeemkitError, WeightsError
from seemkit.evaluation.conversation import converse
from seemkit.evaluation.protocols.ritm import RitmClicker
from seemkit.weights import save_weights
from seemkit_registry import RegistryError


@pytest.fixture(scope="module")
def tiny(assembly: Callable[..., dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> str:
    """An assembly of timm's test_resnet, without weights."""
    path = tmp_path_factory.mktemp("assembly") / "tiny.yaml"
    path.write_text(yaml.safe_dump({"seemkit": 1, **assembly()}), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def items(new_photo: Callable[..., NDArray[np.uint8]]) -> list[Sample]:
    made = []
    for seed in range(2):
        mask = np.zeros((48, 64), bool)
        mask[10:30, 12 + seed : 40] = True
        crowd = SampleObject(np.ones((48, 64), bool), is_crowd=True)
        made.append(Sample(f"photo {seed}", new_photo(48, 64, seed), (crowd, SampleObject(mask))))
    return made


@pytest.fixture(scope="module")
def weights(tiny: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file of the tiny assembly with another backbone than its own."""
    model = seemkit.load(tiny, weights=None, device="cpu", overrides={"backbone.model": "test_convnext"})
    path = tmp_path_factory.mktemp("weights") / "convnext.safetensors"
    return save_weights(model.network, path, {})


def test_time_memory_and_size_of_each_are_measured(items: list[Sample], tiny: str) -> None:
    table = compare_backbones(
        ["test_resnet", "timm:test_convnext"], items, assembly=tiny, repeats=2, device="cpu"
    )
    first, second = table.rows
    assert [row.name for row in table.rows] == ["test_resnet", "timm:test_convnext"]
    assert second.backbone == {"use": "timm", "model": "test_convnext"}
    assert first.ratio == 1
    for row in table.rows:
        assert len(row.seconds) == 2
        assert min(row.seconds) > 0
        assert row.input == (64, 96)  # 48 x 64 with a short side of 64, in steps of 32
        assert row.weights_bytes > 4 * row.parameters
        assert row.peak_bytes > 64 * 96 * 3 * 4  # at least the input
    assert table.photo == (48, 64)
    assert BackboneTable.model_validate_json(table.model_dump_json()) == table


def test_accuracy_is_told_of_weights_that_are_given_and_of_nothing_else(
    items: list[Sample], weights: Path, tiny: str
) -> None:
    names = ["test_resnet", f"test_convnext={weights}", "test_convnext"]
    table = compare_backbones(names, items, assembly=tiny, repeats=1, device="cpu")
    own, given, random = table.rows
    assert (own.accuracy, random.accuracy) == (None, None)  # the tiny assembly has no weights
    assert own.untrained == ["all"]
    assert given.untrained == []
    model = seemkit.load(tiny, weights=weights, device="cpu", overrides={"backbone.model": "test_convnext"})
    curves = []
    for item in items:
        scene, mask = model.encode(item.image), item.objects[1].read_mask()  # type: ignore[arg-type]
        clicker = RitmClicker(mask, np.zeros_like(mask), scene.grid)
        curves.append(converse(model, scene, clicker, 3).curve)
    assert given.accuracy == {1: np.mean([c[0] for c in curves]), 3: np.mean([c[2] for c in curves])}
    page = table.to_markdown()
    assert page.count("| untrained | untrained |") == 2
    assert f"| {given.accuracy[1]:.3f} | {given.accuracy[3]:.3f} |" in page
    assert "on 2 objects of the given data (RITM clicks)" in page


def test_the_own_backbone_of_an_assembly_has_its_weights_and_a_swapped_one_is_untrained() -> None:
    table = compare_backbones(["mobile_sam_lite0", "test_resnet"], repeats=1, device="cpu")
    assert table.rows[0].untrained == []
    assert "image_encoder" in table.rows[1].untrained
    assert table.data is None
    assert "IoU" not in table.to_markdown()


def test_a_data_set_is_read_object_by_object_up_to_the_limit(
    new_photo: Callable[..., NDArray[np.uint8]], weights: Path, tmp_path: Path, tiny: str
) -> None:
    for seed, name in enumerate("ab"):
        mask = np.zeros((48, 64), np.uint8)
        mask[10:30, 12:40] = 255
        Image.fromarray(new_photo(48, 64, seed)).save(tmp_path / f"{name}.jpg")
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
    command = ["bench", "-m", tiny, "--backbone", f"test_convnext={weights}", "--data", str(tmp_path)]
    out = tmp_path / "out.json"
    ended = CliRunner().invoke(
        cli, [*command, "--limit", "1", "--repeats", "1", "--json", str(out)], prog_name="seemkit"
    )
    assert (ended.exit_code, ended.stderr) == (0, "")
    found = json.loads(out.read_text())
    assert (found["objects"], found["data"]) == (1, tmp_path.name)
    assert set(found["rows"][0]["accuracy"]) == {"1", "3"}
    assert "| backbone | M parameters |" in ended.stdout


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["test_resnet", "test_resnet"], "a backbone is given twice"),
        (["resnett18"], "no backbone and no model of one is called 'resnett18'; did you mean 'resnet18'?"),
        (["timm:resnett18"], "'resnett18' is no model of timm; did you mean 'resnet18'?"),
    ],
)
def test_a_wrong_name_is_refused_in_one_sentence(names: list[str], sentence: str, tiny: str) -> None:
    with pytest.raises((SeemkitError, RegistryError)) as caught:
        compare_backbones(names, assembly=tiny, repeats=1, device="cpu")
    assert sentence in str(caught.value)


def test_weights_of_another_backbone_are_refused(weights: Path, tiny: str) -> None:
    with pytest.raises(WeightsError, match=r"convnext\.safetensors does not fit the assembly"):
        compare_backbones([f"test_resnet={weights}"], assembly=tiny, repeats=1, device="cpu")


def test_data_without_objects_is_refused(tiny: str) -> None:
    with pytest.raises(SeemkitError, match="there is no object in the data"):
        compare_backbones(["test_resnet"], [], assembly=tiny, repeats=1, device="cpu")


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("resnet18", {"use": "seemkit/timm", "model": "resnet18"}),
        ("resnet18.a1_in1k", {"use": "seemkit/timm", "model": "resnet18.a1_in1k"}),
        ("timm:resnet18", {"use": "timm", "model": "resnet18"}),
        ("focal", {"use": "focal"}),
        ("test_resnet", {"use": "timm", "model": "test_resnet"}),
    ],
)
def test_a_name_is_a_component_a_model_of_one_or_both(text: str, slot: dict[str, Any], tiny: str) -> None:
    assert BackboneName.parse(text).slot(load_assembly(tiny).backbone) == slot


def test_a_name_may_bring_weights() -> None:
    assert BackboneName.parse("focal=a=b.safetensors") == BackboneName("focal", "a=b.safetensors")
    assert BackboneName.parse("focal").said == "focal"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "."], "--data and --limit go with --backbone NAME, given once or more"),
        (["round", "--backbone", "focal"], "WHAT does not go with --backbone"),
        (
            ["--size", "64", "--backbone", "focal"],
            "--size does not go with --backbone; set the size of photos with",
        ),
        (
            ["--weights", "none", "--backbone", "focal"],
            "--weights does not go with --backbone; give NAME=WEIGHTS",
        ),
        (["--backbone", "resnett18"], "did you mean 'resnet18'?"),
    ],
)
def test_a_wrong_request_ends_with_one_sentence_and_code_2(words: list[str], said: str, tiny: str) -> None:
    ended = CliRunner().invoke(cli, ["bench", "-m", tiny, *words], prog_name="seemkit")
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
