"""The backbones, text encoders, answer policies and hooks that ship with seemkit keep the published contracts."""

import pytest

from seemkit.answer.fused import Fused
from seemkit.answer.priority import Priority
from seemkit.testing import (
    AnswerPolicyContract,
    BackboneContract,
    ExporterContract,
    HooksContract,
    TextEncoderContract,
)
from seemkit_backbones.davit import DaViT
from seemkit_backbones.focal import Focal
from seemkit_backbones.focal_large import FocalLarge
from seemkit_backbones.sam_vit import SamViT
from seemkit_backbones.timm import Timm
from seemkit_extras.coco import Coco
from seemkit_extras.consensus import Consensus
from seemkit_extras.indexed import Indexed
from seemkit_extras.labelme import Labelme
from seemkit_extras.overlay import Overlay
from seemkit_extras.record import Record
from seemkit_extras.yolo import Yolo
from seemkit_registry import default
from seemkit_text.open_clip import OpenClip
from seemkit_text.static import Static
from seemkit_text.unicl import UniCL


class TestTimm(BackboneContract):
    backbone = Timm
    options = {"model": "test_resnet"}


@pytest.mark.slow
class TestTimmPlainViT(BackboneContract):
    backbone = Timm
    options = {"model": "test_vit", "pyramid_width": 32}


@pytest.mark.slow
class TestTimmOfSomeStrides(BackboneContract):
    backbone = Timm
    options = {"model": "efficientvit_m0", "pyramid_width": 16}


@pytest.mark.slow
class TestTimmOfOneSize(BackboneContract):
    backbone = Timm
    options = {"model": "pit_ti_224", "pyramid_width": 16}


@pytest.mark.slow
class TestTimmOfMultiples(BackboneContract):
    backbone = Timm
    options = {"model": "test_maxvit"}


@pytest.mark.slow
class TestTimmResized(BackboneContract):
    backbone = Timm
    options = {"model": "convmixer_1024_20_ks9_p14", "pyramid_width": 16}


@pytest.mark.slow
class TestTimmWithoutPadding(BackboneContract):
    backbone = Timm
    options = {"model": "legacy_xception"}


@pytest.mark.slow
class TestTimmOfNano(BackboneContract):
    backbone = Timm
    options = {"model": "tf_efficientnet_lite0"}


class TestFocal(BackboneContract):
    backbone = Focal
    options = {"width": 8, "depths": (1, 1, 1, 1)}


@pytest.mark.slow
class TestFocalPlain(BackboneContract):
    backbone = Focal
    options = {"width": 8, "depths": (1, 2, 1, 1), "depthwise": False}


class TestFocalLarge(BackboneContract):
    backbone = FocalLarge
    options = {"width": 16, "depths": (1, 1, 1, 1), "levels": 2}


class TestDaViT(BackboneContract):
    backbone = DaViT
    options = {"width": 16, "depths": (1, 1, 1, 1), "head_width": 8}


class TestSamViT(BackboneContract):
    backbone = SamViT
    options = {
        "width": 24,
        "depth": 2,
        "heads": 2,
        "global_blocks": (1,),
        "window": 3,
        "image_size": 64,
        "channels": (4, 8, 12, 16),
    }


class TestStatic(TextEncoderContract):
    text_encoder = Static


class TestUniCL(TextEncoderContract):
    text_encoder = UniCL
    options = {"width": 32, "layers": 2, "heads": 2}


@pytest.mark.slow
class TestOpenClip(TextEncoderContract):
    text_encoder = OpenClip
    options = {"model": "ViT-S-32-alt"}


class TestFused(AnswerPolicyContract):
    answer_policy = Fused


class TestPriority(AnswerPolicyContract):
    answer_policy = Priority


class TestConsensus(AnswerPolicyContract):
    answer_policy = Consensus


class TestConsensusOfTheLeastConvinced(AnswerPolicyContract):
    answer_policy = Consensus
    options = {"roles": "least"}


class TestRecord(HooksContract):
    hooks = Record
    options = {"path": "requests.jsonl"}


class TestCoco(ExporterContract):
    exporter = Coco


class TestCocoPolygons(ExporterContract):
    exporter = Coco
    options = {"polygons": True, "simplify": 1.0}


class TestIndexed(ExporterContract):
    exporter = Indexed


class TestLabelme(ExporterContract):
    exporter = Labelme


class TestLabelmeMasks(ExporterContract):
    exporter = Labelme
    options = {"shapes": "mask"}


class TestOverlay(ExporterContract):
    exporter = Overlay


class TestYolo(ExporterContract):
    exporter = Yolo


def test_every_built_in_component_is_held_to_the_contract() -> None:
    suites = (AnswerPolicyContract, BackboneContract, ExporterContract, HooksContract, TextEncoderContract)
    tested = {
        each.component() for suite in suites for each in suite.__subclasses__() if each.__module__ == __name__
    }
    for kind in (suite.kind for suite in suites):
        for component, found in default().load_all(kind):
            assert component.distribution != "seemkit" or found in tested, component.qualified
