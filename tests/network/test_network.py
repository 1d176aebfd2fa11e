"""The network as a whole: its presets share the published parameters, and options add theirs."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from seemkit import Model
from seemkit.network.conditioning import Conditioning
from seemkit.network.network import CORE_PARTS, Network
from seemkit.network.rows import stack_rows


@pytest.fixture
def network(tiny_model: Callable[[str], Model]) -> Network:
    return tiny_model("seem_v1").network


def names(model: Model) -> set[str]:
    return set(model.network.state_dict())


def test_the_published_presets_have_the_same_parameters(tiny_model: Callable[[str], Model]) -> None:
    v0, v1, demo = (names(tiny_model(f"seem_{name}")) for name in ("v0", "v1", "demo"))
    assert v0 == v1 == demo


def test_the_small_preset_adds_its_own_and_drops_none(tiny_model: Callable[[str], Model]) -> None:
    extra = names(tiny_model("nano")) - names(tiny_model("seem_v1"))
    assert names(tiny_model("seem_v1")) < names(tiny_model("nano"))
    parts = {name.split(".")[1] for name in extra if name.startswith("prompts.")}
    assert parts == {"region", "conditioning", "guidance", "words", "outline"}
    assert {name for name in extra if name.startswith("pixel_decoder.meaning.")}, "its FPN makes that map"
    others = {name for name in extra if not name.startswith(("prompts.", "pixel_decoder.meaning."))}
    assert others == {"decoder.mask_position.weight", "heads.seen.weight", "heads.seen.bias"}


def test_the_parts_of_the_core_are_named(
    tiny_model: Callable[[str], Model], new_model: Callable[..., Model]
) -> None:
    parts = set(tiny_model("nano").network.prompts._modules) | set(
        new_model(
            text_encoder={"use": "unicl", "width": 16, "layers": 1, "heads": 2}
        ).network.prompts._modules
    )
    assert parts == CORE_PARTS


@torch.no_grad()
def test_token_states_of_another_width_are_projected(
    new_model: Callable[..., Model], network: Network
) -> None:
    tokens = torch.randn(5, 32)
    assert network.phrase_rows(tokens) is tokens
    other = new_model(text_encoder={"use": "unicl", "width": 16, "layers": 1, "heads": 2}).network
    assert other.dims.text == 16
    assert other.phrase_rows(torch.randn(5, 16)).shape == (5, 32)


@torch.no_grad()
def test_class_logits_are_temperature_times_cosine(network: Network) -> None:
    embeddings, vocabulary = torch.randn(2, 3, 32), nn.functional.normalize(torch.randn(4, 32), dim=-1)
    cosine = nn.functional.cosine_similarity(embeddings[:, :, None], vocabulary[None, None], dim=-1)
    scale = network.text_encoder.logit_scale.exp()  # type: ignore[operator]
    torch.testing.assert_close(network.class_logits(embeddings, vocabulary), scale * cosine)


@torch.no_grad()
def test_the_temperature_has_a_limit_where_one_is_asked_for(new_model: Callable[..., Model]) -> None:
    network = new_model().network
    network.text_encoder.logit_scale.fill_(6.0)  # type: ignore[operator]
    assert network.class_scale().item() == pytest.approx(403.43, abs=0.01)
    assert network.class_scale(100.0).item() == 100


@torch.no_grad()
def test_conditioning_moves_the_queries_of_objects_that_have_an_anchor() -> None:
    torch.manual_seed(0)
    part = Conditioning(8, 6)
    content, position = torch.randn(3, 4, 8), torch.randn(3, 4, 8)
    region, centre, phrase = torch.randn(3, 8), torch.randn(3, 8), torch.randn(3, 6)
    has = torch.tensor([[True, False, False], [True, False, True], [False, False, True]])
    moved, placed = part(content, position, (region, has[0]), (centre, has[1]), (phrase, has[2]))
    assert torch.equal(moved[1], content[1])
    assert torch.equal(placed[1], position[1])
    torch.testing.assert_close(moved[0], content[0] + part.region(region[0]))
    torch.testing.assert_close(moved[2], content[2] + part.phrase(nn.functional.normalize(phrase[2], dim=0)))
    torch.testing.assert_close(placed[2], position[2] + part.centre(centre[2]))
    same = part(content, position, None, None, None)
    assert torch.equal(same[0], content)
    assert torch.equal(same[1], position)


def test_rows_are_padded_at_the_end_and_marked() -> None:
    pieces = [torch.ones(2, 3), None, torch.full((4, 3), 2.0)]
    rows, padding = stack_rows(pieces, torch.empty(3))
    assert rows.shape == (3, 4, 3)
    assert padding.tolist() == [[False, False, True, True], [True] * 4, [False] * 4]
    assert rows[0, 2:].eq(0).all()
    assert torch.equal(rows[2], pieces[2])
    nothing, blank = stack_rows([None, None], torch.empty(3))
    assert nothing.shape == (2, 0, 3)
    assert blank.shape == (2, 0)
