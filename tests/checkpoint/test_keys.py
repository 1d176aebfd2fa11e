"""The key map, on the key lists of the published files (SEEMKIT_SPEC, or beside SEEMKIT_GOLDEN)."""

import math
import os
from pathlib import Path

import pytest
import torch

from seemkit.assembly import assembly_names, load_assembly
from seemkit.checkpoint.fit import fit
from seemkit.checkpoint.keys import (
    Family,
    guess_family,
    is_ignorable,
    shape_to_ours,
    shape_to_theirs,
    to_ours,
    to_theirs,
)
from seemkit.errors import WeightsError
from seemkit.pipeline.build import build_network

FAMILIES: dict[str, Family] = {
    "focalt": "focal", "focall": "focal_large", "davitd3": "davit", "davitd5": "davit",
    "samvitb": "sam_vit", "samvitl": "sam_vit",
}  # fmt: skip
SEEM = [
    *(f"seem_{b}_unicl_lang_{v}" for b in ("focalt", "focall") for v in ("v0", "v1", "demo")),
    *(f"seem_{b}_unicl_lang_v1" for b in ("davitd3", "davitd5", "samvitb", "samvitl")),
]
FILES = [*SEEM, *(f"xdecoder_{b}_unicl_lang" for b in ("focalt", "focall", "davitd3"))]
Shapes = dict[str, tuple[int, ...]]


def read_shapes(name: str) -> Shapes:
    golden = os.environ.get("SEEMKIT_GOLDEN")
    spec = os.environ.get("SEEMKIT_SPEC") or (str(Path(golden).parent / "spec") if golden else None)
    if spec is None:
        pytest.skip("neither SEEMKIT_SPEC nor SEEMKIT_GOLDEN names the folder of the key lists")
    lines = (line.split("\t") for line in (Path(spec) / "keys" / f"{name}.txt").read_text().splitlines())
    return {
        key: () if shape == "scalar" else tuple(int(n) for n in shape.split(","))
        for key, shape in lines
        if not is_ignorable(key)
    }


def our_shapes(name: str) -> Shapes:
    shapes = read_shapes(name)
    family = guess_family(shapes)
    named = {to_ours(key, family): shape for key, shape in shapes.items()}
    return {key: shape_to_ours(key, shape, family) for key, shape in named.items()}


def shapes_of(module: torch.nn.Module) -> Shapes:
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


@pytest.mark.parametrize("name", FILES)
def test_the_map_is_a_bijection_of_names_and_shapes(name: str) -> None:
    theirs = read_shapes(name)
    family = guess_family(theirs)
    assert family == FAMILIES[name.split("_")[1]]
    ours = our_shapes(name)
    assert len(ours) == len(theirs) > 600
    back = {to_theirs(key, family): shape_to_theirs(key, shape, family) for key, shape in ours.items()}
    assert back == theirs
    assert [math.prod(shape) for shape in ours.values()] == [math.prod(shape) for shape in theirs.values()]


@pytest.mark.parametrize("name", FILES)
def test_no_published_word_is_left_in_our_names(name: str) -> None:
    keys = read_shapes(name)
    tops = {to_ours(key, guess_family(keys)).split(".")[0] for key in keys}
    parts = {"image_encoder", "pixel_decoder", "decoder", "heads", "prompts", "text_encoder"}
    assert tops == parts | ({"image_proj"} if name.startswith("xdecoder") else set())


@pytest.mark.parametrize("name", SEEM)
def test_the_shipped_assembly_has_exactly_the_published_parameters(name: str) -> None:
    _, backbone, *_, version = name.split("_")
    with torch.device("meta"):
        network, _, _ = build_network(load_assembly(f"seem-{backbone}-{version}"))
    assert shapes_of(network) == our_shapes(name)


def test_every_published_list_has_an_assembly_and_the_other_way_round() -> None:
    wanted = {f"seem-{name.split('_')[1]}-{name.split('_')[-1]}" for name in SEEM}
    assert {name for name in assembly_names() if name.startswith("seem-")} == wanted


def test_matrices_become_convolutions_of_one_pixel_and_nothing_else_changes_its_shape() -> None:
    name = "seem_focall_unicl_lang_v1"
    theirs, ours = read_shapes(name), our_shapes(name)
    changed = {key for key in theirs if theirs[key] != ours[to_ours(key, "focal_large")]}
    assert {key.partition(".blocks.")[2].partition(".")[2] for key in changed} == {
        "modulation.f.weight", "modulation.proj.weight", "mlp.fc1.weight", "mlp.fc2.weight",
    }  # fmt: skip
    assert len(changed) == 4 * (2 + 2 + 18 + 2)


@pytest.mark.parametrize(
    ("key", "ignorable"),
    [
        ("dilation_kernel", True),
        ("criterion.empty_weight", True),
        ("self_attn_mask", True),
        ("sem_seg_head.predictor.self_attn_mask", True),
        ("sem_seg_head.predictor.attention_data.self_attn_mask", True),
        ("sem_seg_head.predictor.not_self_attn_mask", False),
        ("sem_seg_head.predictor.self_attn_mask.weight", False),
        ("backbone.dilation_kernel", False),
        ("backbone_proj", False),  # mapped, for X-Decoder
    ],
)
def test_what_holds_nothing_learned_is_ignorable(key: str, ignorable: bool) -> None:
    # spec/checkpoints.md, section 3
    assert is_ignorable(key) == ignorable


def test_a_parameter_of_xdecoder_is_taken_where_there_is_a_place_and_else_passed_over() -> None:
    state = {"backbone.norm0.bias": torch.ones(2), "backbone_proj": torch.full((2, 3), 5.0)}
    norm = {"image_encoder.out_norms.0.bias": torch.zeros(2)}
    with_place = fit(state, {**norm, "image_proj": torch.zeros(2, 3)}, "focal")
    without = fit(state, norm, "focal")
    assert (list(with_place), list(without)) == ([], [])
    assert torch.equal(with_place.tensors["image_proj"], state["backbone_proj"])
    assert without.tensors.keys() == norm.keys()
    assert to_theirs("image_proj", "focal") == "backbone_proj"


@pytest.mark.parametrize("key", ["sem_seg_head.predictor.query_feat", "model.backbone.norm0.weight", "foo"])
def test_an_unknown_published_name_is_refused(key: str) -> None:
    with pytest.raises(WeightsError, match=key) as caught:
        to_ours(key, "focal")
    assert caught.value.path == key


def test_a_name_of_ours_that_no_published_file_has_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"prompts\.conditioning\.region\.weight"):
        to_theirs("prompts.conditioning.region.weight", "focal")


def test_weights_of_another_network_have_no_family() -> None:
    with pytest.raises(WeightsError, match="no SEEM file"):
        guess_family(["conv1.weight", "fc.bias"])
