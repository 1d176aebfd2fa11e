"""Everything mode on rows made by hand, against the published rules.

Panoptic: keep queries whose class is not background with a probability above 0.8; each pixel goes to the largest
score times mask probability; a query must win at least 0.8 of its own mask, counted where its probability is at
least 0.5; stuff of one class is one segment. Instance: the best (query, class) pairs over all classes but
background, things kept after the cut; score times mean mask probability. Semantic: class times mask probability.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from seemkit import Model
from seemkit.errors import SeemkitError, VocabularyError
from seemkit.pipeline.everything import Rows, Thresholds, instances, panoptic

NOTHING: frozenset[int] = frozenset()
H, W = 4, 10


def strip(start: int, stop: int, inside: float = 4.0, outside: float = -4.0) -> Tensor:
    """Logits (H, W) that are high in columns start..stop."""
    out = torch.full((H, W), outside)
    out[:, start:stop] = inside
    return out


def rows_of(classes: list[list[float]], masks: list[Tensor]) -> tuple[Rows, Tensor]:
    full = torch.stack(masks)
    return Rows(torch.tensor(classes), full[:, ::2, ::2]), full


def columns(mask: Tensor) -> list[int]:
    assert torch.equal(mask, mask[:1].expand_as(mask))
    return mask[0].nonzero()[:, 0].tolist()


def test_panoptic_keeps_sure_queries_that_are_not_background() -> None:
    rows, full = rows_of(
        [[0.9, 0.05, 0.05], [0.79, 0.11, 0.1], [0.05, 0.05, 0.9], [0.05, 0.85, 0.1]],
        [strip(0, 3), strip(3, 5), strip(5, 7), strip(7, 10)],
    )
    ids, segments = panoptic(rows, full, Thresholds(), NOTHING)
    assert [(s.category, columns(s.mask)) for s in segments] == [(0, [0, 1, 2]), (1, [7, 8, 9])]
    assert [s.score for s in segments] == pytest.approx([0.9, 0.85])
    assert ids[0].tolist() == [1, 1, 1, 0, 0, 0, 0, 2, 2, 2]
    assert ids.dtype == torch.int32


def test_a_probability_at_the_threshold_does_not_exceed_it() -> None:
    rows, full = rows_of([[0.5, 0.25, 0.25]], [strip(0, 10)])
    assert panoptic(rows, full, Thresholds(score=0.5), NOTHING)[1] == []
    assert len(panoptic(rows, full, Thresholds(score=0.49), NOTHING)[1]) == 1


def test_a_pixel_goes_to_the_largest_score_times_mask_probability() -> None:
    # the second mask is surer of the shared columns, but its class is not: 0.95 * 0.88 > 0.81 * 0.98
    rows, full = rows_of(
        [[0.95, 0.03, 0.02], [0.1, 0.81, 0.09]], [strip(0, 6, inside=2.0), strip(5, 10, inside=4.0)]
    )
    _, segments = panoptic(rows, full, Thresholds(), NOTHING)
    assert [columns(s.mask) for s in segments] == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]


@pytest.mark.parametrize(("hidden", "kept"), [(1, True), (2, True), (3, False)])
def test_a_query_must_win_four_fifths_of_its_own_mask(hidden: int, kept: bool) -> None:
    # of ten columns, `hidden` are won by a surer query
    rows, full = rows_of([[0.85, 0.1, 0.05], [0.05, 0.94, 0.01]], [strip(0, 10), strip(0, hidden)])
    _, segments = panoptic(rows, full, Thresholds(), NOTHING)
    assert [s.category for s in segments] == ([0, 1] if kept else [1])


def test_what_a_query_wins_counts_also_where_its_mask_is_not_solid() -> None:
    # it wins all ten columns, because nobody else wants them, but has a mask of four: 10 / 4 passes, four remain
    rows, full = rows_of([[0.9, 0.05, 0.05]], [strip(2, 6, outside=-0.1)])
    ids, segments = panoptic(rows, full, Thresholds(), NOTHING)
    assert columns(segments[0].mask) == [2, 3, 4, 5]
    assert int((ids > 0).sum()) == 4 * H


def test_a_mask_that_is_nowhere_solid_gives_no_segment() -> None:
    rows, full = rows_of([[0.9, 0.05, 0.05]], [torch.full((H, W), -0.1)])
    ids, segments = panoptic(rows, full, Thresholds(), NOTHING)
    assert segments == []
    assert not ids.any()


def test_stuff_of_one_class_is_one_segment_and_things_are_not() -> None:
    rows, full = rows_of(
        [[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.85, 0.1, 0.05], [0.02, 0.95, 0.03]],
        [strip(0, 2), strip(2, 5), strip(5, 8), strip(8, 10)],
    )
    ids, segments = panoptic(rows, full, Thresholds(), frozenset({0}))
    assert [(s.category, columns(s.mask)) for s in segments] == [
        (0, [0, 1, 5, 6, 7]),
        (1, [2, 3, 4]),
        (1, [8, 9]),
    ]
    assert ids[0].tolist() == [1, 1, 2, 2, 2, 1, 1, 1, 3, 3]
    assert segments[0].score == pytest.approx(0.9)


def test_panoptic_without_any_query_is_empty() -> None:
    rows, full = rows_of([[0.1, 0.1, 0.8]], [strip(0, 9)])
    ids, segments = panoptic(rows, full, Thresholds(), NOTHING)
    assert segments == []
    assert ids.shape == (H, W)


def test_instances_are_the_best_pairs_of_query_and_class() -> None:
    rows, full = rows_of([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]], [strip(0, 4), strip(4, 10)])
    found = instances(rows, full, Thresholds(instances=3), NOTHING)
    inside = float(torch.tensor(4.0).sigmoid())
    assert [(s.category, columns(s.mask)[0]) for s in found] == [(1, 4), (0, 0), (1, 0)]
    assert [s.score for s in found] == pytest.approx([0.7 * inside, 0.6 * inside, 0.3 * inside], rel=1e-5)


def test_stuff_is_dropped_after_the_cut_and_takes_places() -> None:
    rows, full = rows_of([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]], [strip(0, 4), strip(4, 10)])
    found = instances(rows, full, Thresholds(instances=2), frozenset({1}))
    assert [s.category for s in found] == [0]


def test_instances_are_ranked_by_class_times_mean_mask_probability() -> None:
    # the surer class has the vaguer mask: 0.7 * 0.52 < 0.6 * 0.98
    rows, full = rows_of([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1]], [strip(0, 4, inside=0.1), strip(4, 10)])
    found = instances(rows, full, Thresholds(instances=2), NOTHING)
    assert [s.category for s in found] == [1, 0]
    assert found[1].score == pytest.approx(0.7 * float(torch.tensor(0.1).sigmoid()), rel=1e-5)


def test_the_mean_is_over_pixels_above_zero_only() -> None:
    rows, full = rows_of([[0.9, 0.05, 0.05]], [strip(0, 4, outside=-0.1)])
    (found,) = instances(rows, full, Thresholds(instances=1), NOTHING)
    assert columns(found.mask) == [0, 1, 2, 3]
    assert found.score == pytest.approx(0.9 * float(torch.tensor(4.0).sigmoid()), rel=1e-5)


WORDS = ["dog", "cat", "grass", "sky"]


@pytest.fixture
def model(tiny_model: Callable[[str], Model]) -> Model:
    return tiny_model("seem_v0")


EAGER = Thresholds(score=0.0, overlap=0.0)


def test_panoptic_segments_do_not_overlap_and_match_their_map(model: Model, photo: NDArray[np.uint8]) -> None:
    result = model.everything(photo, vocabulary=WORDS, thresholds=EAGER, stuff=["grass", "sky"])
    assert result.task == "panoptic"
    assert len(result) > 0
    assert result.segments is not None
    ids, info = result.segments
    assert result.masks.sum(0).max() == 1
    for mask, segment in zip(result.masks, info, strict=True):
        assert np.array_equal(ids == segment["id"], mask)
        assert segment["area"] == mask.sum()
        assert segment["thing"] == (segment["label"] not in ("grass", "sky"))
    assert [name for name, *_ in (ranked[0] for ranked in result.labels)] == [s["label"] for s in info]
    stuff = [s["label"] for s in info if not s["thing"]]
    assert len(stuff) == len(set(stuff))


def test_instances_leave_stuff_out(model: Model, photo: NDArray[np.uint8]) -> None:
    result = model.everything(photo, vocabulary=WORDS, task="instance", stuff=["grass"])
    assert len(result) > 0
    assert "grass" not in {ranked[0][0] for ranked in result.labels}
    assert (np.diff(result.scores) <= 0).all()


def test_nothing_found_is_an_empty_result(model: Model, photo: NDArray[np.uint8]) -> None:
    for task in ("panoptic", "instance"):
        limits = Thresholds(score=1.1, instances=0)
        result = model.everything(photo, vocabulary=WORDS, thresholds=limits, task=task)
        assert result.masks.shape == (0, *photo.shape[:2])
        assert result.logits is None


def test_what_is_wrong_is_said(model: Model, photo: NDArray[np.uint8]) -> None:
    with pytest.raises(SeemkitError, match="task is 'everything'; it is one of panoptic, instance, semantic"):
        model.everything(photo, vocabulary=WORDS, task="everything")  # type: ignore[arg-type]
    with pytest.raises(VocabularyError, match="the vocabulary is empty"):
        model.everything(photo)
    with pytest.raises(VocabularyError, match=r"stuff names 'gras', .* did you mean 'grass'") as caught:
        model.everything(photo, vocabulary=WORDS, stuff=["gras"])
    assert caught.value.path == "stuff"
    with pytest.raises(VocabularyError, match="the one text"):
        model.everything(photo, vocabulary=WORDS, stuff="grass")
