"""Embeddings of a large vocabulary are kept on disk by content, and computed again if the file is damaged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seemkit import Model, Vocabulary
from seemkit.pipeline import vocabulary_store
from seemkit.pipeline.vocabulary import Vocabularies

NAMES = [f"name {i}" for i in range(40)]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEEMKIT_CACHE", str(tmp_path))
    return tmp_path / "vocabularies"


@pytest.fixture
def encoded(tiny_model: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sentences the text encoder was given, call by call; names are sentences."""
    network, calls = tiny_model("seem_v1").network, list[int]()
    monkeypatch.setattr(network.text_encoder, "templates", ("{}",))
    before = network.embed_texts

    def counted(texts: list[str]) -> Any:
        calls.append(len(texts))
        return before(texts)

    monkeypatch.setattr(network, "embed_texts", counted)
    return calls


@pytest.fixture
def embed(tiny_model: Callable[[str], Model], encoded: list[int]) -> Callable[..., torch.Tensor]:
    """Embeddings as a model that was just loaded makes them."""
    return lambda names=NAMES: Vocabularies(tiny_model("seem_v1").network).embed(names)  # type: ignore[return-value]


def test_the_next_model_reads_what_the_first_made(
    cache: Path, encoded: list[int], embed: Callable[..., torch.Tensor]
) -> None:
    made = embed()
    assert encoded == [41]  # and the background
    assert len(list(cache.iterdir())) == 1
    assert torch.equal(embed(), made)
    assert torch.equal(embed(NAMES[::-1]), made.flip(0))
    assert encoded == [41]
    embed(NAMES[1:])
    embed(Vocabulary(NAMES, templates=["the {}"]))
    embed(Vocabulary(NAMES, background="nothing"))
    assert encoded == [41, 40, 41, 41]
    assert len(list(cache.iterdir())) == 4


def test_other_weights_are_not_served_from_it(
    cache: Path, embed: Callable[..., torch.Tensor], new_model: Callable[..., Model]
) -> None:
    made = embed()
    other = Vocabularies(new_model("seem_v1", seed=5).network).embed(NAMES)
    assert isinstance(other, torch.Tensor)
    assert not torch.equal(other, made)
    assert len(list(cache.iterdir())) == 2


def test_a_table_that_is_in_no_state_dict_counts_as_weights(new_model: Callable[..., Model]) -> None:
    from seemkit.pipeline.fingerprint import hash_tensors

    encoder = new_model("nano", text_encoder={"use": "static"}).network.text_encoder
    before = hash_tensors(encoder)
    assert "rows" not in encoder.state_dict()
    encoder.rows[0, 0] += 1
    assert hash_tensors(encoder) != before


@pytest.mark.parametrize("damage", ["cut", "flipped", "garbage", "empty", "other rows"])
def test_a_damaged_file_is_made_anew(
    cache: Path, encoded: list[int], embed: Callable[..., torch.Tensor], damage: str
) -> None:
    made = embed()
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    if damage == "other rows":
        from safetensors.torch import save_file

        save_file({"rows": torch.zeros(3, 3)}, file, metadata={"words": "[]", "sha256": ""})
    else:
        flipped = whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:]
        file.write_bytes({"cut": whole[:-9], "flipped": flipped, "garbage": b"{}" * 99, "empty": b""}[damage])
    assert torch.equal(embed(), made)
    assert encoded == [41, 41]
    assert torch.equal(embed(), made)  # the file is whole again
    assert encoded == [41, 41]
    assert [f.name for f in cache.iterdir()] == [file.name]


def test_a_folder_that_cannot_be_written_keeps_nothing_and_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoded: list[int], embed: Callable[..., torch.Tensor]
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    monkeypatch.setenv("SEEMKIT_CACHE", str(tmp_path / "taken"))
    assert torch.equal(embed(), embed())
    assert encoded == [41, 41]


def test_few_names_and_small_encoders_are_not_kept(
    cache: Path, embed: Callable[..., torch.Tensor], new_model: Callable[..., Model]
) -> None:
    embed(NAMES[:8])
    Vocabularies(new_model("nano", text_encoder={"use": "static"}).network).embed(NAMES)
    assert not cache.exists()


def test_the_oldest_files_go_when_there_are_too_many(
    cache: Path, embed: Callable[..., torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    embed()
    (first,) = cache.iterdir()
    monkeypatch.setattr(vocabulary_store, "MOST", first.stat().st_size)
    embed(NAMES[1:])
    assert first not in list(cache.iterdir())
    assert len(list(cache.iterdir())) == 1
