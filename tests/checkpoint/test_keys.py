"""The key map, on the key lists of the published files (SEEMKIT_SPEC, or beside SEEMKIT_GOLDEN)."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from timm.models.davit import DaVit
from timm.models.vision_transformer_sam import VisionTransformerSAM

from seemkit.checkpoint.keys import Family, guess_family, is_ignorable, to_ours, to_theirs
from seemkit.components import BackboneShape
from seemkit.errors import WeightsError
from seemkit.network.pixel_decoder import FPN
from seemkit_backbones.focal import Focal
from seemkit_text.unicl import UniCL

FAMILIES: dict[str, Family] = {"foc": "focal", "dav": "davit", "sam": "sam_vit"}
FILES = [
    *(f"seem_{b}_unicl_lang_{v}" for b in ("focalt", "focall") for v in ("v0", "v1", "demo")),
    *(f"seem_{b}_unicl_lang_v1" for b in ("davitd3", "davitd5", "samvitb", "samvitl")),
    *(f"xdecoder_{b}_unicl_lang" for b in ("focalt", "focall", "davitd3")),
]
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


def rename_part(name: str, part: str) -> Shapes:
    """Shapes of a part by our names, its prefix cut."""
    shapes = read_shapes(name)
    family = guess_family(shapes)
    renamed = {to_ours(key, family): shape for key, shape in shapes.items()}
    return {key.removeprefix(part): shape for key, shape in renamed.items() if key.startswith(part)}


def shapes_of(module: torch.nn.Module) -> Shapes:
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


@pytest.mark.parametrize("name", FILES)
def test_the_map_is_a_bijection(name: str) -> None:
    keys = list(read_shapes(name))
    family = guess_family(keys)
    assert family == FAMILIES[name.split("_")[1][:3]]
    ours = [to_ours(key, family) for key in keys]
    assert len(set(ours)) == len(keys) > 600
    assert [to_theirs(key, family) for key in ours] == keys


@pytest.mark.parametrize("name", FILES)
def test_no_published_word_is_left_in_our_names(name: str) -> None:
    keys = read_shapes(name)
    tops = {to_ours(key, guess_family(keys)).split(".")[0] for key in keys}
    parts = {"image_encoder", "pixel_decoder", "decoder", "heads", "prompts", "text_encoder"}
    assert tops == parts | ({"image_proj"} if name.startswith("xdecoder") else set())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("seem_focalt_unicl_lang_v1", Focal.Options()),
        (
            "seem_focall_unicl_lang_v1",
            Focal.Options(width=192, depths=(2, 2, 18, 2), levels=4, depthwise=False),
        ),
    ],
)
def test_focal_networks_have_exactly_the_published_parameters(name: str, options: Focal.Options) -> None:
    with torch.device("meta"):
        assert shapes_of(Focal.build(options)) == rename_part(name, "image_encoder.")


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("seem_focalt_unicl_lang_v1", (96, 192, 384, 768)),
        ("seem_focall_unicl_lang_v1", (192, 384, 768, 1536)),
        ("seem_davitd5_unicl_lang_v1", (256, 512, 1024, 2048)),
    ],
)
def test_the_fpn_pixel_decoder_has_exactly_the_published_parameters(
    name: str, channels: tuple[int, int, int, int]
) -> None:
    with torch.device("meta"):
        network = FPN.build(FPN.Options(), BackboneShape(channels=channels))
    assert shapes_of(network) == rename_part(name, "pixel_decoder.")


def test_the_text_encoder_has_exactly_the_published_parameters() -> None:
    with torch.device("meta"):
        network = UniCL.build(UniCL.Options())
    assert shapes_of(network) == rename_part("seem_focalt_unicl_lang_v1", "text_encoder.")


@pytest.mark.parametrize(("name", "width", "kernel"), [("davitd3", 128, 2), ("davitd5", 256, 3)])
def test_davit_names_are_timms(name: str, width: int, kernel: int) -> None:
    with torch.device("meta"):
        theirs = DaVit(
            depths=(1, 1, 9, 1),
            embed_dims=tuple(width * 2**k for k in range(4)),
            num_heads=tuple(width // 32 * 2**k for k in range(4)),
            down_kernel_size=kernel,
            channel_attn_v2=True,
            named_blocks=True,
            num_classes=0,
        )
    expected = {key: shape for key, shape in shapes_of(theirs).items() if not key.startswith("head.")}
    assert rename_part(f"seem_{name}_unicl_lang_v1", "image_encoder.") == expected


def test_sam_vit_names_are_timms_but_for_the_neck() -> None:
    with torch.device("meta"):
        theirs = VisionTransformerSAM(
            img_size=1024, embed_dim=768, depth=12, num_heads=12, window_size=14, use_rel_pos=True,
            global_attn_indexes=(2, 5, 8, 11), neck_chans=256, num_classes=0,
        )  # fmt: skip
    ours = rename_part("seem_samvitb_unicl_lang_v1", "image_encoder.")
    assert cut_neck(ours) == cut_neck(shapes_of(theirs))


def cut_neck(shapes: Mapping[str, tuple[int, ...]]) -> Shapes:
    return {key: shape for key, shape in shapes.items() if not key.startswith("neck.")}


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
