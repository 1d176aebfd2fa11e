"""The prompt types that ship with seemkit keep the published contract, as any plugin's have to."""

import numpy as np

from seemkit.prompts import Audio, Box, Concept, Mask, Memory, Point, Polygon, Reference, Scribble, Text
from seemkit.testing import PromptContract
from seemkit_registry import default

SQUARE = [(2, 2), (20, 2), (20, 20), (2, 20)]


class TestPoint(PromptContract):
    prompt = Point
    flags = {"120,80": Point(x=120, y=80), " 1.5 , 2": Point(x=1.5, y=2)}


class TestBox(PromptContract):
    prompt = Box
    flags = {"10,20,30,40": Box(x1=10, y1=20, x2=30, y2=40)}


class TestScribble(PromptContract):
    prompt = Scribble
    flags = {"10,10 40,30@7": Scribble(points=[(10, 10), (40, 30)], width=7)}


class TestPolygon(PromptContract):
    prompt = Polygon
    flags = {"2,2 20,2 20,20 2,20": Polygon(points=SQUARE)}


class TestMask(PromptContract):
    prompt = Mask


class TestText(PromptContract):
    prompt = Text
    flags = {"the dog": Text(text="the dog")}


class TestReference(PromptContract):
    prompt = Reference
    flags = {"other.jpg#point=3,4": Reference(image="other.jpg", prompts=[Point(x=3, y=4)])}


class TestMemory(PromptContract):
    prompt = Memory


class TestConcept(PromptContract):
    prompt = Concept
    flags = {"cat.concept": Concept(file="cat.concept")}


class TestAudio(PromptContract):
    prompt = Audio
    flags = {
        "order.wav": Audio(sound="order.wav"),
        "a.wav#dog,cat": Audio(sound="a.wav", words=["dog", "cat"]),
    }


def test_every_built_in_prompt_type_is_held_to_the_contract() -> None:
    tested = {each.prompt for each in PromptContract.__subclasses__() if each.__module__ == __name__}
    built_in = {found for c, found in default().load_all("prompts") if c.distribution == "seemkit"}
    assert tested == built_in


def test_contracts_hold_for_logits_too() -> None:
    """The memory of a round is logits, not the mask of the example."""

    class Logits(Memory):
        """An earlier mask as logits at stride 4 of the padded input."""

        @classmethod
        def example(cls) -> "Logits":
            return cls(mask=np.linspace(-4, 4, 16 * 16, dtype=np.float32).reshape(16, 16))

    contract = type("Checked", (PromptContract,), {"prompt": Logits})
    report = contract.report(["test_it_comes_back_from_json_as_it_was", "test_the_example_is_answered"])  # type: ignore[attr-defined]
    assert len(report.passed) == 2, str(report)
