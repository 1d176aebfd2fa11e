"""Names fitted alone: they come to be right, nothing else moves, and the network then reads what was fitted."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from seemkit.errors import SeemkitError
from seemkit.network.network import Network
from seemkit.training.augment import Augment
from seemkit.training.batch import normalise
from seemkit.training.fit_names import Fit, Known, fit_names, is_fitted, look_at, main, score_names
from seemkit.training.name_tables import NameTables
from seemkit.training.recipe.sections import AugmentSection
from seemkit.training.view import View
from seemkit.weights import read_weights, save_weights
from tests.looking import ENLARGED, look_closer
from tests.training.conftest import SIZE, STILL, WORDS, make_sample

New = Callable[..., Any]
QUICK = Fit(steps=150, rate=0.02, left_out=0.2)


def views(numbers: Sequence[int], options: AugmentSection = STILL) -> list[View]:
    augment = Augment(options, SIZE, 1, nearness=ENLARGED)
    return [view for n in numbers if (view := augment.view(make_sample(n), n)) is not None]


@pytest.fixture
def network(new_network: New) -> Network:
    built: Network = new_network()
    look_closer(built)
    generator = torch.Generator().manual_seed(0)
    torch.nn.init.normal_(built.heads.seen.weight, std=0.1, generator=generator)  # type: ignore[union-attr]
    return built


@pytest.fixture
def known(network: Network, new_model: New) -> Callable[[Sequence[int]], list[Known]]:
    tables = NameTables(network, [WORDS])
    preprocess = new_model("nano").preprocess
    return lambda numbers: list(look_at(network, preprocess, views(numbers), tables))


@pytest.fixture
def names(network: Network) -> Tensor:
    return NameTables(network, [WORDS]).embed(0, (0,))[:-1]


def test_names_come_to_be_right_and_nothing_else_moves(
    network: Network, known: Callable[[Sequence[int]], list[Known]], names: Tensor
) -> None:
    held = known(range(100, 120))
    before = {name: x.clone() for name, x in network.state_dict().items()}
    start = score_names(network, held, names)
    fit_names(network, known(range(30)), names, QUICK, say=lambda line: None)
    end = score_names(network, held, names)
    assert start["closest look"] < 0.7
    assert end["closest look"] > 0.9, "three colours, which the closer look shows as they are"
    assert end["seen most"] > 0.9
    moved = {name for name, x in network.state_dict().items() if not torch.equal(x, before[name])}
    assert moved == {name for name in before if is_fitted(name)}


def test_it_is_the_same_with_the_same_seed(
    new_network: New, new_model: New, known: Callable[[Sequence[int]], list[Known]], names: Tensor
) -> None:
    learned, found = known(range(6)), []
    for seed in (0, 0, 1):
        network = new_network()
        look_closer(network)
        fit_names(network, learned, names, Fit(steps=3, seed=seed), say=lambda line: None)
        found.append(network.heads.seen.weight.detach().clone())
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@torch.no_grad()
def test_what_is_fitted_is_what_the_network_reads(
    network: Network, known: Callable[[Sequence[int]], list[Known]], new_model: New
) -> None:
    from seemkit.training.fit_names import looks

    first, nearer = looks(network, known([3]), None)
    preprocess, some = new_model("nano").preprocess, views([3])
    features = network.encode(normalise(some, preprocess, network.device))
    assert features.meaning is not None
    photo = normalise(some, preprocess, network.device, ENLARGED)
    for found, expected in (
        (first, features.meaning),
        (nearer, network.look_closer(photo, features.meaning)),
    ):  # maps are kept in half precision
        assert torch.allclose(found, expected, atol=0.01 * float(expected.abs().max()))


def test_views_without_names_are_left_out_and_a_network_without_the_map_is_refused(
    network: Network, new_network: New, new_model: New
) -> None:
    preprocess = new_model("nano").preprocess
    assert not list(look_at(network, preprocess, views([1]), NameTables(network, [("a cat",)])))
    plain = new_network("seem_v1")
    with pytest.raises(
        SeemkitError, match=r"has no map that names are read from; set pixel_decoder\.meaning"
    ):
        list(look_at(plain, preprocess, views([1]), NameTables(plain, [WORDS])))


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Twelve pictures of two rectangles in COCO's format."""
    folder = tmp_path / "coco"
    folder.mkdir()
    images, annotations = [], []
    for number in range(12):
        sample = make_sample(number)
        Image.fromarray(np.asarray(sample.image)).save(folder / f"{number:012d}.png")
        images.append({"id": number, "file_name": f"{number:012d}.png", "height": 80, "width": 100})
        for each in sample.objects:
            rows, columns = np.nonzero(each.read_mask())
            top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
            outline = [[*map(float, (left, top, right, top, right, bottom, left, bottom))]]
            said = {"image_id": number, "category_id": WORDS.index(str(each.name)) + 1, "iscrowd": 0}
            annotations.append({"id": len(annotations) + 1, "segmentation": outline, **said})
    categories = [{"id": k + 1, "name": name} for k, name in enumerate(WORDS)]
    data = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(data))
    return folder


def test_the_command_writes_the_file_again_with_other_names(
    coco: Path, tiny_yaml: Path, new_model: New, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, out = tmp_path / "tiny.safetensors", tmp_path / "out.safetensors"
    save_weights(new_model("nano").network, weights, {"assembly": "tiny-nano", "recipe": "made"}, half=True)
    recipe = tmp_path / "named.yaml"
    source = f"{{use: coco, path: {coco}, annotations: instances.json, images: '', hold_out: 0.2}}"
    recipe.write_text(
        f"seemkit: 1\nname: named\nmodel: {{assembly: {tiny_yaml}}}\ndata: {{sources: [{source}], size: 64}}\n"
    )
    asked = ["--recipe", str(recipe), "--size", "64", "--views", "2", "--steps", "4"]
    main([*asked, str(weights), str(out)])
    assert "held out" in capsys.readouterr().out
    (about, stored), (_, before) = read_weights(out), read_weights(weights)
    assert about["recipe"] == "made, names fitted"
    assert stored.keys() == before.keys()
    assert all(x.dtype == before[name].dtype for name, x in stored.items())
    moved = {name for name, x in stored.items() if not torch.equal(x, before[name])}
    assert moved
    assert all(is_fitted(name) for name in moved)


def test_the_command_says_in_a_sentence_what_is_wrong(
    tiny_yaml: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--data", str(tmp_path), str(tmp_path / "none.safetensors"), "out"])
    assert "none.safetensors" in capsys.readouterr().err
