"""The smallest model there is, for the demo."""

from pathlib import Path

import pytest

from seemkit import load
from seemkit.pipeline.model import Model

TINY = Path(__file__).parents[1] / "cli" / "tiny.yaml"


@pytest.fixture(scope="session")
def model() -> Model:
    """Random weights: what is shown is arbitrary, how it is shown is not."""
    import torch

    torch.manual_seed(0)
    return load(TINY, weights=None)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
