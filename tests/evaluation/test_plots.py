"""Curves as pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seemkit.evaluation.figures import Curve
from seemkit.evaluation.plots import can_plot, caption_of, plot_curves


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


def test_the_caption_says_once_what_protocols_share() -> None:
    rest = "RITM clicks, at most 20, session with memory"
    pairs = [f"one simulated {a} and one simulated {b}, then {rest}" for a, b in ("ab", "ac", "bc")]
    assert caption_of(pairs) == f"first prompts as in the legend, then {rest}"
    assert caption_of([rest, *pairs]) == f"first prompts as in the legend, then {rest}"
    assert caption_of([rest, rest]) == rest
    assert caption_of(["one way", "another"]) == "one way\nanother"


@pytest.mark.skipif(not can_plot(), reason="matplotlib is not installed")
def test_ten_curves_differ_in_more_than_colour_and_none_lies_below_the_legend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from matplotlib.figure import Figure

    drawn: list[Figure] = []
    save = Figure.savefig

    def keep(self: Figure, *given: Any, **more: Any) -> None:
        save(self, *given, **more)
        drawn.append(self)

    monkeypatch.setattr(Figure, "savefig", keep)
    curves = [Curve("a", "b", str(n), "mean IoU", f"{n}, then clicks", (0.7, 0.9), 5) for n in range(10)]
    plot_curves(curves, tmp_path / "curve.png")
    (axes,) = drawn[0].axes
    assert len({(line.get_linestyle(), line.get_marker()) for line in axes.lines}) == 10
    (legend,) = drawn[0].legends
    assert legend.get_window_extent().x0 > axes.get_window_extent().x1
