"""A registry with small components, so that assemblies are tested without torch and installed plugins."""

from pathlib import Path
from typing import Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from seemkit_registry import Registry


class Timm:
    """A backbone with options of several types."""

    class Options(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")

        model: str = "resnet50"
        pretrained: bool = False
        width: int = Field(64, ge=1)
        schedule: dict[str, float] = Field(default_factory=dict)

        @field_validator("model")
        @classmethod
        def check_model(cls, model: str) -> str:
            if model == "resnet05":
                error = ValueError("no model is named 'resnet05'")
                error.suggestion = "resnet50"  # type: ignore[attr-defined]
                raise error
            return model


class Focal:
    """A backbone with another option, whose model forbids nothing."""

    class Options(BaseModel):
        depth: int = 2


class Decoder:
    """A decoder with a choice."""

    class Options(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")

        dim: int = 128
        preset: Literal["nano", "seem_v1"] = "nano"


class Plain:
    """A component without options."""


@pytest.fixture
def registry() -> Registry:
    registry = Registry(path=[], host_version="1.0", strict=False)
    for kind, name, component in (
        ("backbones", "timm", Timm),
        ("backbones", "focal", Focal),
        ("pixel_decoders", "fpn", Decoder),
        ("mask_decoders", "seem", Decoder),
        ("text_encoders", "static", Plain),
        ("answer_policies", "fused", Plain),
        ("answer_policies", "priority", Plain),
        ("prompts", "points", Plain),
        ("prompts", "boxes", Plain),
    ):
        registry.register(kind, name, component, distribution="seemkit")
    return registry


@pytest.fixture
def nano() -> dict[str, object]:
    """A right configuration, as plain data."""
    return {
        "seemkit": 1,
        "name": "nano",
        "summary": "A small one",
        "backbone": {"use": "timm", "model": "tf_efficientnet_lite0"},
        "pixel_decoder": {"use": "fpn", "dim": 96},
        "mask_decoder": {"use": "seem", "preset": "nano"},
        "text_encoder": "static",
        "answer_policy": {"use": "fused"},
        "prompts": ["points", "boxes"],
        "preprocess": {"short": 320, "long": 512, "mean": [1.0, 2.0, 3.5], "std": [1, 1, 1], "fixed": None},
        "weights": {"file": "nano.safetensors", "license": "Apache-2.0", "sha256": "0" * 64},
        "prefer": {"prompts": {"points": "seemkit"}},
        "runtime": {"device": "auto", "threads": None},
        "vocabulary": ["dog", "cat", "no", "12:30", "null"],
    }


@pytest.fixture
def write(tmp_path: Path):
    """Writes a YAML file, from text or plain data, and returns its path."""

    def write(name: str, content: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
        return path

    return write
