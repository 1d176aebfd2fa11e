"""One simulated prompt of each kind: all kinds are asked, with draws that depend on photo and kind only."""

from typing import Any

import numpy as np

from seemkit.evaluation.datasets import Labelled
from seemkit.evaluation.prompts import prompt_figures

KINDS = {"mIoU point", "mIoU box", "mIoU scribble", "mIoU polygon", "mIoU mask"}


def item(key: str) -> Labelled:
    mask = np.zeros((40, 60), bool)
    mask[10:30, 10:40] = True
    return Labelled(key, np.zeros((40, 60, 3), np.uint8), mask, np.zeros(mask.shape, bool))


def test_every_spatial_kind_that_can_be_simulated_has_a_figure(made_up: Any) -> None:
    model = made_up(lambda image, prompts: item("a").mask)
    figures = prompt_figures(model, [item("a"), item("b")], "made up", seed=3)
    assert {f.name for f in figures} >= KINDS
    assert {(f.value, f.count, f.seed) for f in figures} == {(1.0, 2, 3)}


def test_a_photos_prompts_do_not_depend_on_the_photos_before_it(made_up: Any) -> None:
    both, alone = (made_up(lambda image, prompts: item("a").mask) for _ in range(2))
    prompt_figures(both, [item("a"), item("b")], "made up")
    prompt_figures(alone, [item("b")], "made up")
    assert both.asked[len(both.asked) // 2 :] == alone.asked


def test_another_seed_draws_other_prompts(made_up: Any) -> None:
    one, two = (made_up(lambda image, prompts: item("a").mask) for _ in range(2))
    prompt_figures(one, [item("a")], "made up", seed=0)
    prompt_figures(two, [item("a")], "made up", seed=1)
    assert one.asked != two.asked
