"""Captions of worst cases: each shows the score that its file name begins with."""

from typing import Any

import numpy as np
import pytest

from seemkit.data.dataset import DatasetInfo
from seemkit.data.sample import Sample, SampleObject
from seemkit.evaluation import comparison
from seemkit.evaluation.measures.clicks import Clicks
from seemkit.evaluation.measures.labels import Labels
from seemkit.evaluation.measures.measure import AskedVideo
from seemkit.evaluation.measures.parts import Parts
from seemkit.evaluation.measures.video import Video


@pytest.fixture
def caption(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The caption that an outcome draws."""
    titles: list[str] = []
    monkeypatch.setattr(comparison, "compare", lambda *tiles, **more: titles.append(tiles[3]))

    def of(outcome: Any) -> str:
        outcome.picture()
        return titles[-1]

    return of


def test_of_a_conversation_it_is_the_mean_over_rounds(made_up: Any, tools: Any, caption: Any) -> None:
    whole, half = tools.rectangle(10, 10, 30, 40), tools.rectangle(10, 10, 30, 25)
    model = made_up(lambda image, prompts: half if len(prompts) == 1 else whole)
    outcome = Clicks(rounds=2).evaluate(tools.ask(model, tools.make_sample(whole)))
    assert outcome is not None
    assert (outcome.score, caption(outcome)) == (0.75, "mean IoU 0.75: 0.50 after 1, 1.00 after 2 rounds")


def test_of_names_it_is_the_share_that_is_right(made_up: Any, tools: Any, caption: Any) -> None:
    dog, cat = (tools.rectangle(0, 0, 20, 30), "dog"), (tools.rectangle(20, 0, 40, 30), "cat")
    model = made_up(lambda image, prompts: dog[0], label="dog")
    outcome = Labels().evaluate(tools.ask(model, tools.make_sample(dog, cat)))
    assert outcome is not None
    assert (outcome.score, caption(outcome)) == (0.5, "0.50 right; cat: dog 100%")


def test_of_parts_it_is_lower_the_more_levels_there_are(made_up: Any, tools: Any, caption: Any) -> None:
    whole = tools.rectangle(10, 10, 30, 40)

    class Nested(made_up):  # type: ignore[misc]
        def segment(self, scene: Any, prompts: Any, select: str = "best") -> Any:
            return Masks()

    class Masks:
        masks = np.stack([whole] * 2)

        def __len__(self) -> int:
            return 2

    outcome = Parts().evaluate(tools.ask(Nested(), tools.make_sample(whole)))
    assert outcome is not None
    assert (outcome.score, caption(outcome)) == (0.5, "2 levels: score 0.50, the lower the more levels")


@pytest.mark.parametrize(
    ("frame", "said"), [("dog/00001", "dog/00001: J&F 0.00"), ("00001", "dog 00001: J&F 0.00")]
)
def test_a_frame_that_names_its_video_is_named_once(
    made_up: Any, tools: Any, caption: Any, frame: str, said: str
) -> None:
    here, there = tools.rectangle(0, 0, 10, 10), tools.rectangle(30, 30, 40, 40)
    keys = ("first", frame, "last")
    frames = [Sample(k, np.zeros((40, 60, 3), np.uint8), (SampleObject(here),), size=(40, 60)) for k in keys]
    model = made_up(lambda image, prompts: there)
    outcome = Video().evaluate(AskedVideo(model, "dog", lambda: iter(frames), DatasetInfo("films")))
    assert caption(outcome) == said
