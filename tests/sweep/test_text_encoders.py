"""Towers of open_clip compose or are refused with a sentence; what is wrong is told from what is refused."""

from typing import Any

import open_clip
import pytest
import torch
from pydantic import BaseModel

from seemkit.api import Phrase
from seemkit.sweep.text_encoders import try_text_encoder


def test_a_tower_composes_and_runs() -> None:
    first, last = try_text_encoder("ViT-S-32-alt")
    assert (first.state, first.ran) == ("composes", False)
    assert (last.state, last.ran, last.width) == ("composes", True, 256)
    tower = open_clip.create_model("ViT-S-32-alt").state_dict()
    sizes = [x.numel() for name, x in tower.items() if not name.startswith("visual.")]
    assert last.parameters == sum(sizes)  # the temperature is among them


def test_a_large_tower_runs_on_the_meta_device_only() -> None:
    (trial,) = try_text_encoder("ViT-S-32-alt", largest=1000)
    assert (trial.state, trial.ran) == ("composes", False)


def test_a_tower_that_needs_a_hub_is_refused_with_what_it_needs() -> None:
    (trial,) = try_text_encoder("xlm-roberta-base-ViT-B-32")
    assert trial.state == "refused"
    assert trial.reason is not None
    assert (
        "is xlm-roberta-base of the Hugging Face hub, not open_clip's; take one like ViT-B-32" in trial.reason
    )


class Encoder(torch.nn.Module):
    """Phrases that are wrong in one way."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault, self.dim = fault, 6
        self.logit_scale = torch.nn.Parameter(torch.zeros(()))

    def encode(self, texts: list[str]) -> list[Phrase]:
        tokens = torch.ones(2, 5 if self.fault == "width" else 6, device=self.logit_scale.device)
        if self.fault == "nan":
            tokens = tokens * float("nan")
        return [Phrase(tokens=tokens, embedding=tokens[0]) for _ in texts]


class Faulty:
    """A text encoder whose option says what it does wrong."""

    class Options(BaseModel):
        model: str

    @staticmethod
    def declare(options: Any) -> int:
        return 6

    @staticmethod
    def build(options: Any) -> torch.nn.Module:
        return Encoder(options.model)


@pytest.mark.parametrize(
    ("model", "state", "reason"),
    [
        ("fine", "composes", None),
        ("width", "failed", "gave tokens (2, 5) and an embedding (5,), but declares a width of 6"),
        ("nan", "failed", "gave embeddings with numbers that are not finite"),
    ],
)
def test_a_text_encoder_that_lies_fails(model: str, state: str, reason: str | None, plugins: Any) -> None:
    plugins.register("text_encoders", "faulty", Faulty)
    *_, last = try_text_encoder(model, component="faulty")
    assert last.state == state
    assert last.reason is None if reason is None else reason in (last.reason or "")
