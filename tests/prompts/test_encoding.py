"""Token prompts hand the core what they are: phrases, references and memories, for or against."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import torch

from seemkit.api import Anchor, Encoded, Group, Phrase
from seemkit.prompts import Memory, Point, Reference, Text


@dataclass
class Recorder:
    """An encoding context that keeps what it was asked."""

    asked: list[tuple[object, ...]] = field(default_factory=list)

    def text(self, texts):  # type: ignore[no-untyped-def]
        return [Phrase(torch.ones(3, 8) * len(text), torch.full((8,), float(len(text)))) for text in texts]

    def phrase_rows(self, tokens):  # type: ignore[no-untyped-def]
        return tokens[:, :4]

    def reference(self, image, prompts, include=True):  # type: ignore[no-untyped-def]
        self.asked.append((image, prompts, include))
        return Encoded((), (Anchor("mask", torch.zeros(4), "reference", include),))

    def memory(self, mask):  # type: ignore[no-untyped-def]
        self.asked.append((mask,))
        return Encoded((Group("memory", torch.zeros(2, 4)),))


def test_a_text_is_a_phrase_and_an_anchor_in_class_space() -> None:
    encoded = Text(text="a dog").encode(Recorder())
    (group,), (anchor,) = encoded.groups, encoded.answers
    assert group.role == "phrase"
    assert group.content.shape == (3, 4)
    assert group.persist
    assert (anchor.space, anchor.role, anchor.include) == ("class", "phrase", True)
    assert torch.equal(anchor.vector, torch.full((8,), 5.0))


def test_a_text_that_is_excluded_acts_in_the_choice_of_the_answer_only() -> None:
    encoded = Text(text="a dog", include=False).encode(Recorder())
    assert encoded.groups == ()
    assert not encoded.answers[0].include


def test_a_reference_hands_over_image_prompts_and_sign() -> None:
    for include in (True, False):
        context = Recorder()
        encoded = Reference(image="cat.jpg", prompts=[Point(x=1, y=2)], include=include).encode(context)
        assert context.asked == [("cat.jpg", (Point(x=1, y=2),), include)]
        assert encoded.answers[0].include == include
    scene = SimpleNamespace(fingerprint="abc")
    context = Recorder()
    Reference(image=scene, prompts=[Point(x=1, y=2)]).encode(context)
    assert context.asked[0][0] is scene


def test_a_memory_hands_over_its_mask_as_a_tensor_of_its_own() -> None:
    for mask in (np.eye(6, dtype=bool), np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)):
        context = Recorder()
        prompt = Memory(mask=mask)
        assert prompt.encode(context).groups[0].role == "memory"
        (tensor,) = context.asked[0]
        assert tensor.dtype == (torch.bool if mask.dtype == np.bool_ else torch.float32)
        assert np.array_equal(tensor.numpy(), mask)
        tensor.zero_()
        assert np.array_equal(prompt.mask, mask)
