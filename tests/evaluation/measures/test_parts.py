"""How nested candidates are, on a model whose candidates are known."""

from typing import Any

import numpy as np
import pytest

from seemkit.evaluation.measures.parts import Parts


def test_levels_and_containment_are_counted(tools: Any, made_up: Any) -> None:
    whole, half = tools.rectangle(10, 10, 30, 40), tools.rectangle(10, 10, 30, 25)
    beside = tools.rectangle(10, 35, 30, 50)  # 5 of 15 columns lie in the whole, none in the half

    class Nested(made_up):  # type: ignore[misc, valid-type]
        def segment(self, scene: Any, prompts: Any, select: str = "best") -> Any:
            self.asked.append(list(prompts))
            masks = {"parts": [whole, half], "all": [half, whole, beside]}[select]
            return Masks(masks)

    class Masks:
        def __init__(self, masks: Any) -> None:
            self.masks = np.stack(masks)

        def __len__(self) -> int:
            return len(self.masks)

    model = Nested()
    outcome = Parts().evaluate(tools.ask(model, tools.make_sample(whole)))
    assert outcome is not None
    values = tools.values(tools.tally_of(Parts(), outcome.record))
    assert (values["2 levels or more"], values["3 levels or more"], values["levels"]) == (1.0, 0.0, 2.0)
    assert values["containment of levels"] == 1.0
    assert values["containment of all candidates"] == pytest.approx((1 + 0 + 5 / 15) / 3, abs=1e-5)
    assert values["mIoU of the best level"] == 1.0
    made = tools.tally_of(Parts(), outcome.record)
    assert made.figures[-1].baseline == pytest.approx(0.5)
    assert [p.type_name() for p in model.asked[0]] == ["point"]
    assert outcome.picture is not None
    assert outcome.picture().width > 900


def test_a_picture_without_an_object_is_nothing(tools: Any, made_up: Any) -> None:
    assert Parts().evaluate(tools.ask(made_up(), tools.make_sample())) is None
