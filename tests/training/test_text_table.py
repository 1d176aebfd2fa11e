"""Distilling a small made-up teacher, whose embedding of a text is a weighted sum of hidden word vectors."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from seemkit.training.sentences import MiniLM
from seemkit.training.text_table import Table, build_table, write_table
from seemkit_text.static import StaticEncoder

WORDS = [f"word{i}" for i in range(60)]
VOCABULARY = ["[UNK]", "[unused7]", "\u65e5", "!", "the", *WORDS]


class Teacher:
    """Quacks like MiniLM."""

    vocabulary = VOCABULARY

    def __init__(self) -> None:
        draw = torch.Generator().manual_seed(1)
        self.hidden = torch.randn(len(VOCABULARY), 24, generator=draw)
        self.weight = 0.2 + 2 * torch.rand(len(VOCABULARY), generator=draw)

    def split(self, text: str) -> list[int]:
        return [VOCABULARY.index(word) for word in text.split()]

    def encode(self, texts: list[str]) -> Tensor:
        return torch.stack([(self.hidden * self.weight[:, None])[self.split(t)].sum(0) for t in texts])

    def encode_tokens(self, ids: list[int]) -> Tensor:
        return self.hidden[ids]


def build(epochs: int, said: list[str] | None = None) -> Table:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 4)) for _ in range(1500)]
    teacher = cast(MiniLM, Teacher())
    say = (said if said is not None else []).append
    return build_table(teacher, texts, dim=16, held_out=200, epochs=epochs, say=say)


def test_the_fit_brings_texts_held_out_closer_to_the_teacher() -> None:
    assert build(6).closeness > build(0).closeness + 0.05


def test_the_same_seed_gives_the_same_table() -> None:
    assert torch.equal(build(1).rows, build(1).rows)


def test_unused_slots_and_other_scripts_are_dropped() -> None:
    assert build(0).vocabulary == ("[UNK]", "!", "the", *WORDS)


def test_frequent_words_start_with_less_weight_than_rare_ones() -> None:
    # by Zipf's law over the order of the vocabulary; directions are the teacher's, so norms tell the weights
    table = build(0)
    unit = torch.nn.functional.normalize(
        Teacher().hidden[[VOCABULARY.index(w) for w in table.vocabulary]], dim=1
    )
    centred = (unit - unit.mean(0)).norm(dim=1)
    share = table.rows.norm(dim=1) / centred
    place = table.vocabulary.index
    assert share[place("the")] < 0.5 * share[place("word59")]


def test_a_written_table_is_read_back_within_half_a_step(tmp_path: Path) -> None:
    table = build(0)
    write_table(table, tmp_path / "t.safetensors")
    with safe_open(tmp_path / "t.safetensors", framework="pt") as file:
        assert file.metadata()["closeness"] == f"{table.closeness:.4f}"
        lines = bytes(file.get_tensor("vocabulary").numpy()).decode().split("\n")
        rows, scale = file.get_tensor("rows"), file.get_tensor("scale")
    encoder = StaticEncoder(lines, rows, scale)
    assert tuple(lines) == table.vocabulary
    read = encoder(torch.arange(len(lines)))
    step = table.rows.abs().amax(1, keepdim=True) / 127
    # half a step of rounding, and the scale's own half precision (2 ** -11) on top
    assert ((read - table.rows).abs() <= 0.5 * step + table.rows.abs() * 2**-10 + 1e-7).all()


def test_the_command_wants_exactly_one_path() -> None:
    from seemkit.training.text_table import main

    with pytest.raises(SystemExit, match="usage"):
        main([])
