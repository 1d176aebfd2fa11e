"""A recorded case of the original: its arrays, its draws, and how far a tensor is from what was recorded."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from tests.parity.table import Difference, note_difference, note_share

__all__ = ["FLIPPED", "LOGITS", "MARGIN", "RMS", "Golden", "assert_close", "excess", "margin"]

LOGITS, RMS = 5e-3, 5e-4  # the original against itself, with other tokens in the batch: 2.3e-3 and 6e-5
FLIPPED = 1e-3  # share of pixels of a binary mask
MARGIN = 0.05  # below it the best of two candidates is a matter of rounding


class Golden:
    """One case: `case[key]` is the decoded array, `case.meta[key]` what is known of it.

    Arrays are stored whole, as packed bits (bool), or as every n-th value; the last come back flat.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        described = json.loads((folder / f"golden_{name}.json").read_text())
        self.meta: dict[str, dict[str, Any]] = described["arrays"]
        self.notes: list[str] = described["notes"]
        self._stored = np.load(folder / f"golden_{name}.npz")

    def __contains__(self, key: str) -> bool:
        return key in self._stored.files

    def __getitem__(self, key: str) -> NDArray[Any]:
        stored, meta = self._stored[key], self.meta[key]
        if meta["encoding"].startswith("packbits"):
            return np.unpackbits(stored)[: int(np.prod(meta["shape"]))].astype(bool).reshape(meta["shape"])
        values: NDArray[Any] = stored
        return values if meta.get("stride", 1) > 1 else values.reshape(meta["shape"])

    def tensor(self, key: str) -> Tensor:
        """The array as a tensor."""
        return from_numpy(np.asarray(self[key]))

    def draws(self, call: str) -> list[NDArray[Any]]:
        """What a recorded call drew at random, in its order."""
        kinds = self.meta[f"{call}/rng"]["draws"]
        return [self[f"{call}/rng{k:03d}_{kind}"] for k, kind in enumerate(kinds)]

    def compare(self, key: str, actual: Tensor) -> Difference:
        """Largest and root mean square difference of `actual`, which must have the recorded shape."""
        meta = self.meta[key]
        assert list(actual.shape) == meta["shape"], (
            f"{key}: shape {list(actual.shape)}, recorded {meta['shape']}"
        )
        values = actual.detach().double().cpu().numpy().ravel()[:: meta.get("stride", 1)]
        gap = values - self[key].astype(np.float64).ravel()
        found = Difference(float(np.abs(gap).max()), float(np.sqrt(np.mean(gap**2))))
        note_difference(self.name, key, found)
        return found

    def disagreement(self, key: str, actual: Tensor, rows: Any = ...) -> float:
        """Share of pixels of a binary mask that differ, over some of its `rows`."""
        expected = self[key]
        assert list(actual.shape) == list(expected.shape)
        share = float(np.mean(actual.cpu().numpy()[rows] != expected[rows]))
        note_share(self.name, key, share)
        return share


def excess(case: Golden, key: str, actual: Tensor) -> float:
    """How far from the reference, as a share of what is tolerated."""
    gap = case.compare(key, actual)
    return max(gap.max_abs / LOGITS, gap.rms / RMS)


def assert_close(case: Golden, key: str, actual: Tensor, limit: float = LOGITS) -> None:
    """Fail outside of the tolerance."""
    gap = case.compare(key, actual)
    assert gap.max_abs < limit, f"{key}: largest difference {gap.max_abs:.2e}"
    assert gap.rms < RMS, f"{key}: rms {gap.rms:.2e}"


def margin(scores: Tensor) -> float:
    """How far the best score is above the next."""
    best, second = scores.topk(2).values.tolist()
    return float(best - second)
