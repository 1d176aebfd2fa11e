"""Simulated clicks by the protocol of RITM and its successors (Sofiiuk et al., ICIP 2022).

The first click is the innermost pixel of the object; each later one that of the deeper of the missed and the
wrongly selected areas (exact Euclidean distance transform, the image border counts as outside, no pixel twice); a
mask's IoU leaves out ignored pixels. NoC@t is the number of clicks to reach an IoU of t, 20 if it is never reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seemkit.evaluation.datasets import Labelled
from seemkit.evaluation.figures import Figure
from seemkit.evaluation.metrics.masks import iou
from seemkit.prompting.read import prompt_type
from seemkit.training.clicks import next_click

if TYPE_CHECKING:
    from seemkit.pipeline.model import Model

__all__ = ["PROTOCOL", "click_curve", "click_figures"]

PROTOCOL = "RITM clicks"
CLICKS = 20
SHOWN = (1, 2, 3, 5, 10)
THRESHOLDS = (80, 85, 90)


def click_curve(
    model: Model, item: Labelled, clicks: int = CLICKS, *, memory: bool = True
) -> NDArray[np.float64]:
    """IoU after each click (clicks,) in a session; it stays as it is once nothing is left to correct."""
    point = prompt_type("point")
    session = model.session(item.image)
    prediction = np.zeros(item.mask.shape, bool)
    used = np.zeros(item.mask.shape, bool)
    curve = np.zeros(clicks)
    for k in range(clicks):
        click = next_click(prediction, item.mask, used, item.ignore)
        if click is None:
            curve[k:] = curve[k - 1] if k else 1.0
            break
        x, y, positive = click
        used[y, x] = True
        session.add(point(x=x + 0.5, y=y + 0.5, include=positive))  # type: ignore[call-arg]
        if memory:
            prediction = session.result().masks[0]
        else:
            prediction = model.segment(session.scene, session.prompts).masks[0]
        curve[k] = iou(prediction, item.mask, item.ignore)
    return curve


def click_figures(
    model: Model, items: Iterable[Labelled], split: str, clicks: int = CLICKS, *, memory: bool = True
) -> list[Figure]:
    """Mean IoU after some clicks, and the number of clicks to reach some IoUs."""
    curves = np.stack([click_curve(model, item, clicks, memory=memory) for item in items])
    suite = f"{split} clicks" + ("" if memory else ", no memory")
    figures = [
        Figure(suite, f"mIoU@{k}", float(curves[:, k - 1].mean()), PROTOCOL, split, len(curves))
        for k in SHOWN
        if k <= clicks
    ]
    if clicks >= CLICKS:
        for threshold in THRESHOLDS:
            reached = curves >= threshold / 100
            first = np.where(reached.any(1), reached.argmax(1) + 1, clicks)
            figures.append(
                Figure(suite, f"NoC@{threshold}", float(first.mean()), PROTOCOL, split, len(curves))
            )
    return figures
