"""The decoder on random rows: rules are data, regions are keys only, memory is limited by its mask."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from seemkit.network.decoder import MaskDecoder, Seem, Wiring
from seemkit.network.heads import Heads
from seemkit.network.mask_features import MaskFeatures
from seemkit.network.prepared import PreparedScene
from seemkit.network.presets import PRESETS, Preset
from seemkit.network.resampling import resize_features
from seemkit.network.rows import RowBatch, stack_rows

C, TEXT, LAYERS, QUERIES = 32, 16, 4, 6
PRESET_NAMES = sorted(PRESETS)


@pytest.fixture
def decoder() -> MaskDecoder:
    torch.manual_seed(0)
    options = Seem.Options(preset="seem_v0", heads=2, ffn=48, layers=LAYERS, queries=QUERIES, memory_rows=4)
    return Seem.build(options, C).eval()


@pytest.fixture
def heads() -> Heads:
    torch.manual_seed(1)
    return Heads(C, TEXT)


def scene_of(decoder: MaskDecoder, seed: int = 2, batch: int = 1) -> PreparedScene:
    torch.manual_seed(seed)
    levels = [torch.randn(batch, C, 2 * s, 3 * s) for s in (1, 2, 4)]
    return decoder.prepare(levels, MaskFeatures(torch.randn(batch, C, 16, 24)))


def queries(decoder: MaskDecoder, n: int = 1) -> RowBatch:
    content, position = decoder.object_queries()
    return RowBatch("query", content.expand(n, -1, -1), position.expand(n, -1, -1))


def rows(role: str, count: int = 3, n: int = 1, seed: int = 5, attends: Tensor | None = None) -> RowBatch:
    torch.manual_seed(seed)
    return RowBatch(role, torch.randn(n, count, C), torch.randn(n, count, C), None, attends)


def anew(role: str, count: int = 3, n: int = 1, seed: int = 6) -> RowBatch:
    torch.manual_seed(seed)
    content = tuple(torch.randn(n, count, C) for _ in range(3))
    return RowBatch(role, content, content, torch.zeros(n, count, dtype=torch.bool))


@contextmanager
def rewired(decoder: MaskDecoder, **rules: str) -> Iterator[None]:
    before = decoder.preset
    table = {**before.rules, **{reader: frozenset(names.split()) for reader, names in rules.items()}}
    decoder.preset = replace(before, rules=table)
    try:
        yield
    finally:
        decoder.preset = before


def close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, atol=1e-5)


@torch.no_grad()
def test_a_role_that_is_not_read_changes_nothing(decoder: MaskDecoder, heads: Heads) -> None:
    scene, query = scene_of(decoder), queries(decoder)
    alone = decoder(scene, [query], heads)
    phrase = rows("phrase")
    with rewired(decoder, query="query"):
        assert close(decoder(scene, [query, phrase], heads).queries, alone.queries)
    assert not close(decoder(scene, [query, phrase], heads).queries, alone.queries)


@torch.no_grad()
def test_the_demo_preset_reads_no_memory(decoder: MaskDecoder, heads: Heads) -> None:
    scene, query = scene_of(decoder), queries(decoder)
    memory = rows("memory", attends=torch.randn(1, 16, 24))
    alone = decoder(scene, [query], heads).queries
    assert not close(decoder(scene, [query, memory], heads).queries, alone)
    decoder.preset = PRESETS["seem_demo"]
    assert close(decoder(scene, [query, memory], heads).queries, alone)


@torch.no_grad()
def test_an_unknown_role_behaves_as_a_phrase(decoder: MaskDecoder, heads: Heads) -> None:
    scene, query = scene_of(decoder), queries(decoder)
    phrase, audio = rows("phrase"), rows("audio")
    by_phrase = decoder(scene, [query, phrase], heads).queries
    assert torch.equal(decoder(scene, [query, audio], heads).queries, by_phrase)
    # beside a phrase it is read by it and reads it, as another phrase would
    both = RowBatch(
        "phrase",
        torch.cat((phrase.at(0)[0], audio.at(0)[0]), dim=1),
        torch.cat((phrase.at(0)[1], audio.at(0)[1]), dim=1),
    )
    assert close(
        decoder(scene, [query, phrase, audio], heads).queries, decoder(scene, [query, both], heads).queries
    )


@torch.no_grad()
def test_region_rows_are_keys_and_values_only(decoder: MaskDecoder, heads: Heads) -> None:
    # what a layer would make of them is never read: later layers see the rows of their own level again
    scene, query, region = scene_of(decoder), queries(decoder), anew("region")
    wiring = Wiring([query, region], decoder.preset)
    assert wiring.content.shape[1] == QUERIES
    assert wiring.allowed_at[0] is not None
    assert wiring.allowed_at[0].shape == (1, QUERIES, QUERIES + 3)
    extra, position = wiring.extra(2)
    assert extra is not None
    assert position is not None
    assert torch.equal(extra, region.content[2])
    assert torch.equal(position, region.position[2])
    before = decoder(scene, [query, region], heads).queries
    assert isinstance(region.content, tuple)
    for level in range(3):
        content = list(region.content)
        content[level] = torch.randn_like(content[level])
        changed = replace(region, content=tuple(content))
        assert not close(decoder(scene, [query, changed], heads).queries, before), (
            f"level {level} is not read"
        )


@torch.no_grad()
def test_two_batches_made_anew_are_both_read(decoder: MaskDecoder, heads: Heads) -> None:
    scene, query = scene_of(decoder), queries(decoder)
    region, reference = anew("region"), anew("reference", seed=9)
    both = decoder(scene, [query, region, reference], heads).queries
    assert not close(both, decoder(scene, [query, region], heads).queries)
    assert not close(both, decoder(scene, [query, reference], heads).queries)


@torch.no_grad()
def test_padding_is_as_good_as_absence(decoder: MaskDecoder, heads: Heads) -> None:
    scene, query = scene_of(decoder), queries(decoder)
    short = torch.randn(3, C)
    content, padding = stack_rows([short, torch.randn(7, C)], short)
    two = decoder(scene, [queries(decoder, 2), RowBatch("phrase", content, content, padding)], heads).queries
    one = decoder(scene, [query, RowBatch("phrase", short[None], short[None])], heads).queries
    assert close(two[:1], one)


@torch.no_grad()
def test_an_object_whose_rows_are_all_padding_is_answered_as_if_it_had_none(
    decoder: MaskDecoder, heads: Heads
) -> None:
    scene = scene_of(decoder)
    content, padding = stack_rows([None, torch.randn(7, C)], torch.empty(C))
    two = decoder(scene, [queries(decoder, 2), RowBatch("phrase", content, content, padding)], heads).queries
    assert close(two[:1], decoder(scene, [queries(decoder)], heads).queries)


def look(
    decoder: MaskDecoder, heads: Heads, scene: PreparedScene, batches: list[RowBatch], level: int
) -> Tensor:
    """Where crossing rows may look in the first layer of a level (N, R, h, w)."""
    wiring = Wiring(batches, decoder.preset)
    embedding = heads.mask_embedding(heads.norm(wiring.content[:, : wiring.candidates]))
    allowed = decoder._masked_attention(scene, embedding, wiring, level, None)
    return allowed.unflatten(2, scene.small[level].shape[-2:])


@pytest.mark.parametrize("level", [0, 1, 2])
@torch.no_grad()
def test_memory_rows_look_only_where_the_earlier_mask_is(
    decoder: MaskDecoder, heads: Heads, level: int
) -> None:
    scene = scene_of(decoder)
    logits = torch.full((1, 16, 24), -5.0)
    logits[:, :9, 4:13] = 5.0
    allowed = look(decoder, heads, scene, [queries(decoder), rows("memory", attends=logits)], level)
    expected = resize_features(logits[:, None], scene.small[level].shape[-2:])[:, 0] >= 0
    assert expected.any()
    assert not expected.all()
    for row in range(QUERIES, QUERIES + 3):
        assert torch.equal(allowed[:, row], expected)


@torch.no_grad()
def test_a_row_whose_mask_is_nowhere_may_look_everywhere(decoder: MaskDecoder, heads: Heads) -> None:
    scene = scene_of(decoder)
    nowhere = torch.full((1, 16, 24), -5.0)
    allowed = look(decoder, heads, scene, [queries(decoder), rows("memory", attends=nowhere)], 1)
    assert allowed[:, QUERIES:].all()
    # and so for a candidate: with a bias that no mask embedding outweighs all its logits are negative
    wiring = Wiring([queries(decoder)], decoder.preset)
    embedding = heads.mask_embedding(heads.norm(wiring.content))
    assert decoder._masked_attention(scene, embedding, wiring, 1, torch.full((1, 16, 24), -1e4)).all()


@pytest.mark.parametrize("level", [0, 1, 2])
@torch.no_grad()
def test_dots_with_resized_features_equal_resized_masks(decoder: MaskDecoder, level: int) -> None:
    scene, embeddings = scene_of(decoder, batch=2), torch.randn(4, 5, C)
    small = scene.small[level]
    fast = scene.small_logits(level, embeddings)
    full = scene.mask_features.dot(embeddings)  # N x Q x H/4 x W/4
    assert torch.allclose(fast, resize_features(full, small.shape[-2:]), atol=1e-4)


@torch.no_grad()
def test_every_head_keeps_the_states_before_each_layer_and_after_the_last(
    decoder: MaskDecoder, heads: Heads
) -> None:
    scene, query = scene_of(decoder), queries(decoder)
    decoded = decoder(scene, [query, rows("phrase")], heads, every_head=True)
    assert len(decoded.heads) == LAYERS + 1
    assert torch.equal(decoded.heads[0], heads.norm(query.at(0)[0]))
    assert torch.equal(decoded.heads[-1], decoded.queries)
    assert decoder(scene, [query], heads).heads == ()


@torch.no_grad()
def test_scenes_side_by_side_are_decoded_as_one_by_one(decoder: MaskDecoder, heads: Heads) -> None:
    together = scene_of(decoder, batch=2)
    two = decoder(together, [queries(decoder, 4), rows("phrase", n=4)], heads)
    torch.manual_seed(2)
    levels = [torch.randn(2, C, 2 * s, 3 * s) for s in (1, 2, 4)]
    features = torch.randn(2, C, 16, 24)
    phrase = rows("phrase", n=4)
    for i in (0, 1):
        scene = decoder.prepare([x[i : i + 1] for x in levels], MaskFeatures(features[i : i + 1]))
        own = RowBatch("phrase", *(x[2 * i : 2 * i + 2] for x in phrase.at(0)))
        one = decoder(scene, [queries(decoder, 2), own], heads)
        assert close(two.queries[2 * i : 2 * i + 2], one.queries)
        assert close(
            two.masks(together, two.mask_embeddings)[2 * i], one.masks(scene, one.mask_embeddings)[0]
        )


@torch.no_grad()
def test_a_bias_is_added_to_every_mask(decoder: MaskDecoder, heads: Heads) -> None:
    scene, bias = scene_of(decoder), torch.randn(1, 16, 24)
    decoded = decoder(scene, [queries(decoder)], heads, bias=bias)
    plain = scene.mask_features.dot(decoded.mask_embeddings)
    assert close(decoded.masks(scene, decoded.mask_embeddings), plain + bias[:, None])


def test_a_call_without_queries_is_a_bug_of_the_caller(decoder: MaskDecoder, heads: Heads) -> None:
    with pytest.raises(ValueError, match="at least one group of queries"):
        decoder(scene_of(decoder), [rows("phrase")], heads)


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_every_preset_rules_every_role(name: str) -> None:
    preset: Preset = PRESETS[name]
    assert set(preset.rules) >= {"query", "phrase", "memory", "region", "reference"}
    assert set().union(*preset.rules.values()) <= set(preset.rules)
    assert preset.reads("query", "region")
    assert preset.reads("query", "never heard of")
    assert not preset.reads("region", "query")
    assert not preset.reads("memory", "query")


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"queries": 4, "candidates": 5}, "candidates 5 are more than the 4 queries"),
        ({"layers": 0}, "layers"),
        ({"preset": "seem_v2"}, "preset"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Seem.Options(**options)  # type: ignore[arg-type]


def test_a_width_that_does_not_split_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot split 32 channels into 5 heads"):
        Seem.build(Seem.Options(heads=5), 32)


def test_gradients_reach_what_is_learned(decoder: MaskDecoder, heads: Heads) -> None:
    make: Callable[[], Tensor] = lambda: decoder(  # noqa: E731 - read twice below
        scene_of(decoder), [queries(decoder), rows("phrase")], heads
    ).mask_embeddings.sum()
    make().backward()
    without = [name for name, p in decoder.named_parameters() if p.grad is None]
    assert without == []
