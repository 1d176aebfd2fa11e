"""What a run says of itself: figures on what is held out, sheets of predictions, logs that are gone on with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seemkit.training.feed import SourceFault
from seemkit.training.gallery import draw_gallery
from seemkit.training.journal import Journal
from seemkit.training.measure import iou, measure, play, still_views
from seemkit.training.sources import held_out

New = Callable[..., Any]


def test_intersection_over_union() -> None:
    a = np.zeros((4, 4), bool)
    a[:2] = True
    b = np.zeros((4, 4), bool)
    b[1:3] = True
    assert iou(a, b) == pytest.approx(1 / 3)
    assert iou(a, ~a) == 0
    assert iou(a & ~a, b & ~b) == 1
    assert iou(a, b, ignored=a ^ b) == 1


def test_views_are_whole_pictures_as_they_are(new_source: New) -> None:
    source = new_source(6, broken=[2])
    views = list(still_views([source], 96, held=False))
    assert [view.key for view in views] == ["0.png", "1.png", "3.png", "4.png", "5.png"]
    assert all(view.valid == (77, 96) for view in views)  # 80 x 100 pixels, to fit
    assert [fault.key for fault in source.train.faults] == ["2.png"]
    assert len(list(still_views([new_source(6)], 96, most=3, held=False))) == 3


def test_every_object_is_clicked_in_its_middle_and_then_corrected(
    new_objective: New, new_source: New
) -> None:
    objective = new_objective()
    (view,) = still_views([new_source(1)], 96, held=False)
    rounds = list(play(objective, view, 3))
    assert len(rounds) == 3
    cells = rounds[0].cells
    assert len(cells) == 2
    for cell in cells:
        rows, columns = np.nonzero(cell.regions[0].mask)
        assert cell.truth[rows[4], columns[4]]
        assert len(cell.regions) >= 2


def test_figures_are_means_over_objects(new_objective: New, new_source: New) -> None:
    objective = new_objective()
    views = list(still_views([new_source(3)], 96, held=False))
    was = objective.network.training
    figures = measure(objective, views)
    assert objective.network.training == was
    objective.network.eval()
    expected = []
    for view in views:
        height, width = view.valid
        first = next(iter(play(objective, view)))
        expected += [iou(m[:height, :width], c.truth) for m, c in zip(first.masks, first.cells, strict=True)]
    assert figures["IoU@1"] == pytest.approx(np.mean(expected), abs=1e-6)


def test_a_sheet_has_a_row_for_each_view(new_objective: New, new_source: New) -> None:
    objective = new_objective()
    views = list(still_views([new_source(2)], 96, held=False))
    sheet = draw_gallery(objective, views, "step 3")
    one = draw_gallery(objective, views[:1], "step 3")
    assert sheet.width == one.width
    assert sheet.height > 1.5 * one.height


def test_the_held_out_share_is_fixed_by_the_name() -> None:
    keys = [f"images/{number:012d}.jpg" for number in range(2000)]
    out = {key for key in keys if held_out(key, 0.15)}
    assert len(out) / 2000 == pytest.approx(0.15, abs=0.03)
    assert {key for key in keys if held_out(key, 0.05)} < out, "a larger share holds a smaller one"
    assert not any(held_out(key, 0) for key in keys)


def test_a_log_that_is_gone_on_with_has_every_step_once(tmp_path: Path) -> None:
    with Journal(tmp_path, 0, 9, tensorboard=False, bar=False) as journal:
        for step in range(5):
            journal.write(step, {"loss": float(step)})
        journal.write(3, {"held out IoU@1": 0.5})
        journal.faults([SourceFault("s", "a.png", "gone"), SourceFault("s", "a.png", "gone")])
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')  # a process that was killed
    with Journal(tmp_path, 3, 9, tensorboard=False, bar=False) as journal:
        journal.write(3, {"loss": 30.0})
        journal.faults([SourceFault("s", "a.png", "gone"), SourceFault("s", "b.png", "gone")])
        assert [fault.key for fault in journal.known_faults] == ["a.png", "b.png"]
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line.get("loss")) for line in lines] == [
        (0, 0),
        (1, 1),
        (2, 2),
        (3, None),
        (3, 30),
    ]
    assert len((tmp_path / "faults.jsonl").read_text().splitlines()) == 2


def test_a_run_that_begins_anew_has_nothing_of_the_one_before(tmp_path: Path) -> None:
    for loss in (1.0, 2.0):
        with Journal(tmp_path, 0, 9, tensorboard=True, bar=False) as journal:
            journal.write(0, {"held out IoU@1": loss / 10})
            journal.write(0, {"loss": loss})
        (tmp_path / "tensorboard" / "mine.txt").touch()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines == [{"step": 0, "held out IoU@1": 0.2}, {"step": 0, "loss": 2.0}]
    (events,) = (tmp_path / "tensorboard").glob("events*")
    with Journal(tmp_path, 1, 9, tensorboard=True, bar=False):
        assert events.exists(), "a run that is gone on with keeps its own"
    assert (tmp_path / "tensorboard" / "mine.txt").exists()
