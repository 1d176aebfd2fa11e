"""The visual sampler against a computation that goes point by point."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from seemkit.geometry.points import PointSet
from seemkit.network.decoder import MaskDecoder, Seem
from seemkit.network.mask_features import MaskFeatures
from seemkit.network.position import encode_points
from seemkit.network.prepared import PreparedScene
from seemkit.network.presets import PRESETS
from seemkit.network.resampling import bilinear
from seemkit.network.sampler import PointBatch, RegionSampler, stack_points

C, PADDED = 16, (64, 96)


def decoder(preset: str) -> MaskDecoder:
    torch.manual_seed(0)
    return Seem.build(Seem.Options(preset=preset, heads=2, ffn=8, layers=1, queries=2), C)  # type: ignore[arg-type]


def scene_of(preset: str = "seem_v1", batch: int = 1) -> PreparedScene:
    torch.manual_seed(1)
    levels = [torch.randn(batch, C, 2 * s, 3 * s) for s in (1, 2, 4)]
    with torch.no_grad():
        return decoder(preset).prepare(levels, MaskFeatures(torch.randn(batch, C, 16, 24)))


def point_set(count: int, seed: int) -> PointSet:
    rng = np.random.default_rng(seed)
    xy = np.stack((rng.integers(0, 96, count), rng.integers(0, 64, count)), axis=1).astype(np.float32)
    negative = rng.random(count) < 0.4
    negative[0] = False
    return PointSet(xy, negative, rng.random(count) < 0.5)


def sampler_of(preset: str) -> RegionSampler:
    torch.manual_seed(2)
    return RegionSampler(C, PRESETS[preset])


def at(feature: Tensor, x: float, y: float) -> Tensor:
    """(C,) of a map (C, h, w) at (x, y) in [0, 1], where 0 and 1 are the centres of the outermost cells."""
    _, h, w = feature.shape
    column, row = x * (w - 1), y * (h - 1)
    left, top = min(int(column), w - 2), min(int(row), h - 2)
    u, v = column - left, row - top
    upper = (1 - u) * feature[:, top, left] + u * feature[:, top, left + 1]
    lower = (1 - u) * feature[:, top + 1, left] + u * feature[:, top + 1, left + 1]
    return (1 - v) * upper + v * lower


def test_maps_are_sampled_with_corners_aligned() -> None:
    torch.manual_seed(0)
    feature, xy = torch.randn(2, C, 5, 7), torch.rand(4, 9, 2)
    out = bilinear(feature, xy)
    assert out.shape == (4, 9, C)
    for n in range(4):
        for t in range(9):
            torch.testing.assert_close(
                out[n, t], at(feature[n // 2], *xy[n, t].tolist()), atol=1e-5, rtol=1e-5
            )
    assert bilinear(feature, xy[:, :0]).shape == (4, 0, C)


@pytest.mark.parametrize("preset", ["seem_v0", "nano"])
@torch.no_grad()
def test_tokens_and_anchors_are_those_of_a_naive_computation(preset: str) -> None:
    scene, sampler = scene_of(preset), sampler_of(preset)
    sets = [point_set(7, 3), None, point_set(4, 5)]
    batch = stack_points(sets, PADDED, scene.levels[0])
    tokens = sampler(scene, batch)
    assert tokens.padding.sum(1).tolist() == [0, 7, 3]
    assert tokens.evidence.tolist() == [True, False, True]
    for n, points in enumerate(sets):
        if points is None:
            assert torch.equal(tokens.anchor[n], torch.zeros(C))
            continue
        places = [(x / PADDED[1], y / PADDED[0]) for x, y in points.xy.tolist()]
        for level in range(3):
            for t, place in enumerate(places):
                expected = at(scene.levels[level][0], *place) @ sampler.level_proj[level]
                expected = expected + sampler.sign_embed[int(points.negative[t])]
                position = expected
                if preset == "nano":
                    expected = expected + sampler.kind_embed[int(points.extent[t])]
                    position = expected + encode_points(C, torch.tensor(place))
                close(tokens.content[level][n, t], expected)
                close(tokens.position[level][n, t], position)
        positive = [place for place, out in zip(places, points.negative, strict=True) if not out]
        close(tokens.anchor[n], torch.stack([at(scene.mask_features.whole[0], *p) for p in positive]).mean(0))
        if preset == "nano":
            assert tokens.centre is not None
            close(
                tokens.centre[n], torch.stack([encode_points(C, torch.tensor(p)) for p in positive]).mean(0)
            )
        else:
            assert tokens.centre is None


def close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_excluding_points_alone_are_no_evidence() -> None:
    scene, sampler = scene_of(), sampler_of("seem_v1")
    only = replace(point_set(5, 1), negative=np.ones(5, bool))
    tokens = sampler(scene, stack_points([only], PADDED, scene.levels[0]))
    assert tokens.evidence.tolist() == [False]
    assert torch.equal(tokens.anchor, torch.zeros(1, C))
    assert not tokens.padding.any()


@torch.no_grad()
def test_the_levels_and_the_anchor_may_have_points_of_their_own() -> None:
    # the original draws them one by one
    scene, sampler = scene_of(), sampler_of("seem_v1")
    own = [stack_points([point_set(6, seed)], PADDED, scene.levels[0]) for seed in range(4)]
    mixed = sampler(scene, own)
    for level in range(3):
        assert torch.equal(mixed.content[level], sampler(scene, own[level]).content[level])
    assert torch.equal(mixed.anchor, sampler(scene, own[3]).anchor)


@torch.no_grad()
def test_objects_lie_scene_by_scene() -> None:
    together, sampler = scene_of(batch=2), sampler_of("seem_v1")
    sets = [point_set(6, seed) for seed in range(4)]
    batch = stack_points(sets, PADDED, together.levels[0])
    tokens = sampler(together, batch)
    for i in (0, 1):
        scene = PreparedScene(
            tuple(x[i : i + 1] for x in together.levels),
            MaskFeatures(together.mask_features.fine[i : i + 1]),
            (),
            (),
            (),
        )
        tensors = (batch.xy, batch.negative, batch.extent, batch.padding)
        own = PointBatch(*(x[2 * i : 2 * i + 2] for x in tensors))
        alone = sampler(scene, own)
        close(tokens.anchor[2 * i : 2 * i + 2], alone.anchor)
        close(tokens.content[1][2 * i : 2 * i + 2], alone.content[1])
