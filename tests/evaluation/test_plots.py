"""Curves as pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seemkit.evaluation.figures import Curve
from seemkit.evaluation.plots import can_plot, plot_curves


@pytest.mark.skipif(not can_plot(), reason="matplotlib is not installed")
def test_each_curve_is_drawn_in_a_colour_of_its_own(tmp_path: Path) -> None:
    curves = [
        Curve("GrabCut", "clicks", label, "mean IoU", "RITM clicks", values, 50)
        for label, values in (("click", (0.7, 0.8, 0.9)), ("box", (0.8, 0.85, 0.88)))
    ]
    plot_curves(curves, tmp_path / "curve.png")
    with Image.open(tmp_path / "curve.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    for colour in ((31, 119, 180), (255, 127, 14)):  # the first two of matplotlib
        assert (np.abs(pixels.astype(int) - colour).sum(1) < 12).sum() > 200
