"""Curves as pictures, by matplotlib (the extra `eval`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from seemkit.evaluation.figures import Curve
from seemkit.results.atomic import replacing

__all__ = ["can_plot", "caption_of", "plot_curves"]

DASHES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v")


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def plot_curves(curves: Sequence[Curve], path: Path) -> None:
    """Draw curves of one quantity against rounds to a PNG file; what protocols share goes below the picture.

    Args:
        curves: of one data set and measure.
        path: of the file.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(9.0, 4.8), dpi=140, layout="constrained")
    axes = figure.subplots()
    for place, curve in enumerate(curves):
        axes.plot(
            range(1, len(curve.values) + 1),
            curve.values,
            linestyle=DASHES[place % len(DASHES)],
            marker=MARKERS[place % len(MARKERS)],
            markersize=3.5,
            linewidth=1.4,
            label=curve.label,
        )
    axes.set_title(f"{curves[0].split}: {curves[0].measure} ({curves[0].count} objects)", fontsize=11)
    axes.set_xlabel("rounds (prompts given)")
    axes.set_ylabel(curves[0].quantity)
    axes.set_ylim(min(0.5, *(min(curve.values) for curve in curves)), 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    figure.legend(fontsize=8, loc="outside right upper")
    figure.supxlabel(caption_of([curve.protocol for curve in curves]), fontsize=7)
    with replacing(path) as file:
        figure.savefig(file, format="png")


def caption_of(protocols: Sequence[str]) -> str:
    """What protocols have in common, as one line; what else each does first is for the legend to say."""
    first, *others = [
        [part.removeprefix("then ") for part in protocol.split(", ")] for protocol in dict.fromkeys(protocols)
    ]
    shared = [part for part in first if all(part in parts for parts in others)]
    if not others or not shared:
        return "\n".join(dict.fromkeys(protocols))
    return f"first prompts as in the legend, then {', '.join(shared)}"
