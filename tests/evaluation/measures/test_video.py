"""J and F of DAVIS on films whose masks are known: which frames count, objects, and memory."""

from typing import Any

import numpy as np
import pytest

from seemkit.data.dataset import DatasetInfo
from seemkit.data.sample import Sample, SampleObject
from seemkit.errors import SeemkitError
from seemkit.evaluation.measures.measure import AskedVideo
from seemkit.evaluation.measures.video import Video


def square(left: int) -> np.ndarray:
    mask = np.zeros((60, 100), bool)
    mask[20:40, left : left + 20] = True
    return mask


def film(*frames: Any) -> list[Sample]:
    """A frame for each tuple of objects, whose image holds the number of the frame."""
    return [
        Sample(str(n), np.full((60, 100, 3), n, np.uint8), tuple(objects), size=(60, 100))
        for n, objects in enumerate(frames)
    ]


def moving(count: int) -> list[Sample]:
    """A square that moves by ten pixels a frame."""
    return film(*[(SampleObject(square(10 * n)),) for n in range(count)])


def ask(model: Any, frames: list[Sample]) -> AskedVideo:
    return AskedVideo(model, "v", lambda: iter(frames), DatasetInfo("films"))


def values(tools: Any, measure: Video, *outcomes: Any) -> Any:
    return tools.values(tools.tally_of(measure, *(outcome.record for outcome in outcomes)))


def test_a_tracker_that_follows_has_1_and_one_that_stands_still_falls_behind(
    made_up: Any, tools: Any
) -> None:
    frames = moving(4)
    follows = made_up(lambda image, prompts: frames[int(image[0, 0, 0])].objects[0].read_mask())
    stands = made_up(lambda image, prompts: square(0))
    measure = Video(memory=(True,))
    found = values(tools, measure, measure.evaluate(ask(follows, frames)))
    assert found == {"J, with memory": 1.0, "F, with memory": 1.0, "J&F, with memory": 1.0}
    found = values(tools, measure, measure.evaluate(ask(stands, frames)))
    # frame 1 overlaps by half a square (1/3), frame 2 not at all; frames 0 and 3 do not count
    assert found["J, with memory"] == pytest.approx((1 / 3 + 0) / 2)
    assert found["J&F, with memory"] == pytest.approx((found["J, with memory"] + found["F, with memory"]) / 2)


def test_the_last_frame_counts_if_asked(made_up: Any, tools: Any) -> None:
    stands = made_up(lambda image, prompts: square(0))
    measure = Video(memory=(False,), last=True)
    outcome = measure.evaluate(ask(stands, moving(2)))
    assert outcome is not None
    made = tools.tally_of(measure, outcome.record)
    assert tools.values(made)["J, without memory"] == pytest.approx(1 / 3)
    assert "first frame not counted" in made.figures[0].protocol
    assert made.figures[0].note == "mean over frames, then over 1 object"


def test_every_object_of_the_first_frame_is_followed_and_counts_alike(made_up: Any, tools: Any) -> None:
    left, right = SampleObject(square(0), key="3"), SampleObject(square(60), key="7")
    frames = film((left, right), (left, right), (right,), (left, right))
    model = made_up(lambda image, prompts: square(0) if prompts[0].object == "3" else square(60))
    measure = Video(memory=(True,))
    outcome = measure.evaluate(ask(model, frames))
    assert outcome is not None
    assert outcome.record["with memory"]["3"]["J"] == [1.0, 0.0]  # it is gone in frame 2
    assert outcome.record["with memory"]["7"]["J"] == [1.0, 1.0]
    assert values(tools, measure, outcome)["J, with memory"] == pytest.approx(0.75)


def test_several_videos_are_shown_one_by_one_and_averaged_by_object(made_up: Any, tools: Any) -> None:
    stands = made_up(lambda image, prompts: square(0))
    measure = Video(memory=(True,), last=True)
    outcomes = [measure.evaluate(ask(stands, moving(count))) for count in (2, 3)]
    found = values(tools, measure, *outcomes)
    assert found["J, with memory"] == pytest.approx((1 / 3 + (1 / 3 + 0) / 2) / 2, abs=1e-5)
    assert {"J&F k0, with memory", "J&F k1, with memory"} <= found.keys()


def test_memory_is_handed_on_and_the_mask_of_the_first_frame_is_what_is_given(made_up: Any) -> None:
    model = made_up(lambda image, prompts: square(0))
    Video().evaluate(ask(model, moving(3)))
    assert model.memories == [True] * 3 + [False] * 3
    np.testing.assert_array_equal(model.asked[0][0].mask, square(0))


def test_a_first_frame_without_an_object_is_one_sentence(made_up: Any) -> None:
    with pytest.raises(SeemkitError, match="marks no object to follow"):
        Video().evaluate(ask(made_up(), film((), (SampleObject(square(0)),))))


def test_a_film_of_two_frames_has_none_that_counts(made_up: Any) -> None:
    assert Video().evaluate(ask(made_up(lambda image, prompts: square(0)), moving(2))) is None


def test_the_worst_frame_can_be_drawn(made_up: Any) -> None:
    outcome = Video().evaluate(ask(made_up(lambda image, prompts: square(0)), moving(5)))
    assert outcome is not None
    assert outcome.picture is not None
    assert outcome.picture().width > 900
