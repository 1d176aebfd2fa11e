"""Curves as pictures, by matplotlib (the extra `eval`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from seemkit.evaluation.figures import Curve
from seemkit.results.atomic import replacing

__all__ = ["can_plot", "plot_curves"]


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def plot_curves(curves: Sequence[Curve], path: Path) -> None:
    """Draw curves of one quantity against rounds to a PNG file; protocols go below the picture.

    Args:
        curves: of one data set and measure.
        path: of the file.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7.2, 4.6), dpi=140, layout="constrained")
    axes = figure.subplots()
    for curve in curves:
        rounds = range(1, len(curve.values) + 1)
        axes.plot(rounds, curve.values, marker="o", markersize=3, linewidth=1.4, label=curve.label)
    axes.set_title(f"{curves[0].split}: {curves[0].measure} ({curves[0].count} objects)", fontsize=11)
    axes.set_xlabel("rounds (prompts given)")
    axes.set_ylabel(curves[0].quantity)
    axes.set_ylim(min(0.5, *(min(curve.values) for curve in curves)), 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    protocols = dict.fromkeys(curve.protocol for curve in curves)
    figure.supxlabel("\n".join(protocols), fontsize=6)
    with replacing(path) as file:
        figure.savefig(file, format="png")
