"""Statistics of the encoder's channels: taken once, from the pictures themselves, and never taken again."""

from collections.abc import Callable
from typing import Any

import torch

from seemkit.network.meaning import Meaning
from seemkit.network.network import Network
from seemkit.training.augment import Augment
from seemkit.training.batch import normalise
from seemkit.training.cell import Asker
from seemkit.training.feed import Feed
from seemkit.training.mixture import Mixture
from seemkit.training.recipe.sections import AugmentSection, SharesSection
from seemkit.training.sources import OpenSource
from seemkit.training.standardise import PICTURES, standardise
from tests.looking import ENLARGED, look_closer

SIZE = 96


def feed_of(source: OpenSource, nearness: int = 0) -> Feed:
    still = AugmentSection(zoom=(1.0, 1.0), flip=0.0, colour=0.0)
    asker = Asker({}, SharesSection(reference=0))
    augment = Augment(still, SIZE, 1, nearness=nearness)
    return Feed([source], Mixture([len(source.train)], [1.0], 0), augment, asker, 0)


@torch.no_grad()
def test_statistics_are_those_of_the_cells_of_the_pictures(
    new_network: Callable[..., Network], new_model: Callable[..., Any], new_source: Callable[..., OpenSource]
) -> None:
    network, preprocess, feed = new_network(), new_model("nano").preprocess, feed_of(new_source(4))
    assert standardise(network, preprocess, feed)
    meaning = network.pixel_decoder.meaning
    assert isinstance(meaning, Meaning)
    views = [view for n in range(PICTURES) for view in feed[n].batch.views]  # type: ignore[union-attr]
    maps = network.image_encoder(normalise(views, preprocess, network.device))
    cells = []
    for view, x in zip(views, maps[2], strict=True):
        assert view.valid == (77, 96)  # 80 x 100 on a canvas of 96
        cells.append(x[:, : 77 // 16, : 96 // 16].flatten(1))
    expected = torch.cat(cells, 1)
    assert torch.allclose(meaning.standard[0].mean, expected.mean(1), atol=1e-4)
    assert torch.allclose(meaning.standard[0].deviation, expected.std(1) + 1e-3, atol=1e-4)
    before = meaning.standard[0].mean.clone()
    assert not standardise(network, preprocess, feed_of(new_source(1))), "it has statistics"
    assert torch.equal(meaning.standard[0].mean, before)


def test_a_network_without_the_map_has_nothing_to_take(
    new_network: Callable[..., Network], new_model: Callable[..., Any], new_source: Callable[..., OpenSource]
) -> None:
    assert not standardise(new_network("seem_v1"), new_model("seem_v1").preprocess, feed_of(new_source(1)))


@torch.no_grad()
def test_a_closer_look_that_is_new_gets_statistics_and_the_old_ones_stay(
    new_network: Callable[..., Network], new_model: Callable[..., Any], new_source: Callable[..., OpenSource]
) -> None:
    network, preprocess = new_network(), new_model("nano").preprocess
    assert standardise(network, preprocess, feed_of(new_source(4)))
    meaning = network.pixel_decoder.meaning
    assert isinstance(meaning, Meaning)
    before = meaning.standard[0].mean.clone()
    look_closer(network)
    assert standardise(network, preprocess, feed_of(new_source(2), ENLARGED))
    assert torch.equal(meaning.standard[0].mean, before)
    feed = feed_of(new_source(2), ENLARGED)
    views = [view for n in range(PICTURES) for view in feed[n].batch.views]  # type: ignore[union-attr]
    photos = normalise(views, preprocess, network.device, ENLARGED)
    seen = network.image_encoder.closer(photos)[0]  # type: ignore[operator]
    cells = torch.cat([x[:, : 77 // 8, : 96 // 8].flatten(1) for x in seen], 1)
    assert torch.allclose(meaning.closer[0].standard.mean, cells.mean(1), atol=1e-4)  # type: ignore[union-attr]
