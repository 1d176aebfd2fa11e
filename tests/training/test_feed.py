"""The feed: the same number, the same sample; what cannot be used is named and passed over, or ends the run."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from seemkit.data.sample import Sample
from seemkit.prompts import Box, Point
from seemkit.training.augment import Augment
from seemkit.training.cell import Asker
from seemkit.training.feed import Drawn, Feed, SourceFault
from seemkit.training.mixture import Mixture
from seemkit.training.recipe.sections import AugmentSection, SharesSection
from seemkit.training.sources import OpenSource
from seemkit.training.view import Target, View

NewSource = Callable[..., OpenSource]


def feed_of(source: OpenSource, *, strict: bool = False, **more: Any) -> Feed:
    options = AugmentSection(**more)
    asker = Asker({Point: 1.0}, SharesSection())
    mixture = Mixture([len(source.train)], [1.0], 0)
    return Feed([source], mixture, Augment(options, 96, 2), asker, 0, strict=strict)


def images(drawn: Drawn) -> list[bytes]:
    assert drawn.batch is not None
    return [view.image.tobytes() for view in drawn.batch.views]


def test_the_same_number_is_the_same_sample_wherever_it_is_drawn(new_source: NewSource) -> None:
    feed = feed_of(new_source(6), copy_paste=0.5)
    other = pickle.loads(pickle.dumps(feed))  # noqa: S301 - our own; as a worker gets it
    for number in (7, 0, 3):
        one, two = feed[number], other[number]
        assert images(one) == images(two)
        assert one.batch is not None
        assert two.batch is not None
        assert one.batch.seeds == two.batch.seeds
        for a, b in zip(one.batch.cells, two.batch.cells, strict=True):
            assert [r.mask.tobytes() for r in a.regions] == [r.mask.tobytes() for r in b.regions]
            assert a.rng.integers(2**60) == b.rng.integers(2**60)


def test_a_source_can_be_pasted_on_more_often_than_the_others(new_source: NewSource) -> None:
    def most(own: float | None) -> int:
        feed = feed_of(replace(new_source(6), copy_paste=own), copy_paste=0.0, pastes=3, pasted=(0.3, 0.5))
        drawn = [feed[number].batch for number in range(12)]
        return max(len(view.targets) for batch in drawn if batch is not None for view in batch.views)

    assert most(1.0) > most(None)
    assert most(0.0) == most(None)


def test_views_come_in_pairs_where_references_are_asked(new_source: NewSource) -> None:
    paired = feed_of(new_source(6))[0].batch
    assert paired is not None
    assert paired.paired
    first, second = paired.views
    assert [t.place for t in first.asked] == [t.place for t in second.asked]
    single = feed_of(new_source(6))
    single.asker = Asker({Point: 1.0}, SharesSection(reference=0))
    batch = single[0].batch
    assert batch is not None
    assert len(batch.views) == 1


def test_a_picture_that_cannot_be_read_is_reported_and_another_taken(new_source: NewSource) -> None:
    feed = feed_of(new_source(6, broken=[1, 4]))
    found = [feed[number] for number in range(12)]
    assert all(each.batch is not None for each in found)
    assert {fault for each in found for fault in each.faults} == {
        SourceFault("rectangles", f"{n}.png", f"OSError: {n}.png is gone") for n in (1, 4)
    }


def test_empty_masks_are_reported(new_source: NewSource) -> None:
    feed = feed_of(new_source(3, empty=[2]))
    faults = {fault.key: fault.cause for number in range(6) for fault in feed[number].faults}
    assert faults["2.png"] == "no object of it can be seen: its masks are empty"
    assert faults["2.png#2-0"] == "the mask of its object 2-0 is empty"


def test_stuff_that_is_not_asked_for_is_no_fault(new_source: NewSource) -> None:
    source = new_source(2)
    read = source.train.read

    def read_as_stuff(key: str) -> Sample:
        sample = read(key)
        objects = tuple(replace(each, is_thing=key != "0.png") for each in sample.objects)
        return replace(sample, objects=objects)

    source.train.read = read_as_stuff  # type: ignore[method-assign]
    feed = feed_of(source, strict=True)
    feed.augment.stuff = False
    for number in range(4):
        drawn = feed[number]
        assert drawn.faults == ()
        assert drawn.batch is not None
        assert drawn.batch.views[0].key == "1.png"


def test_strict_feeds_stop_at_the_first_fault(new_source: NewSource) -> None:
    feed = feed_of(new_source(2, broken=[0, 1]), strict=True)
    drawn = feed[0]
    assert drawn.batch is None
    assert len(drawn.faults) == 1


def test_nothing_that_can_be_used_ends(new_source: NewSource) -> None:
    drawn = feed_of(new_source(2, broken=[0, 1]))[0]
    assert drawn.batch is None
    assert len(drawn.faults) == 20


def test_objects_are_asked_for_in_every_way(new_source: NewSource) -> None:
    feed = feed_of(new_source(6))
    cells = [cell for number in range(20) for cell in feed[number].batch.cells]
    ways = {
        (
            "text"
            if cell.group == "text"
            else "reference"
            if cell.reference
            else "mixed"
            if cell.prompts
            else "prompt"
        )
        for cell in cells
    }
    assert ways == {"text", "reference", "mixed", "prompt"}
    for cell in cells:
        assert bool(cell.regions) == (cell.group == "visual" and not cell.reference)
        for prompt in cell.prompts:
            assert prompt.text == cell.target.name  # type: ignore[attr-defined]


def test_names_are_put_into_sentences_and_phrases_are_not(new_source: NewSource) -> None:
    from dataclasses import replace

    asker = Asker({}, SharesSection(prompt=0, reference=0, text=1, mixed=0), ["a photo of a {}."])
    batch = feed_of(new_source(6))[0].batch
    assert batch is not None
    view = batch.views[0]
    for texts, said, words in (
        (None, "a photo of a red thing.", "name"),
        (("the left one",), "the left one", "phrase"),
    ):
        targets = tuple(replace(t, name="red thing", texts=texts or ("red thing",)) for t in view.targets)
        for cell in asker.cells(replace(view, targets=targets), np.random.default_rng(0)):
            assert cell.prompts[0].text == said  # type: ignore[attr-defined]
            assert cell.words == words


def test_what_nobody_named_is_asked_for_by_what_it_is_called(new_source: NewSource) -> None:
    shares = SharesSection(prompt=0, reference=0, text=1, mixed=0)
    target = Target(np.ones((8, 8), bool), 0, key="seen")
    named = Target(np.ones((8, 8), bool), 1, name="cup", key="seen")
    view = View(np.zeros((8, 8, 3), np.uint8), (8, 8), (target, named), (0, 1))
    asker = Asker({Point: 1.0}, shares, ["a photo of a {}."], {"seen": "golden retriever"})
    first, second = asker.cells(view, np.random.default_rng(0), partner=False)
    assert first.prompts[0].text == "a photo of a golden retriever."  # type: ignore[attr-defined]
    assert (first.group, first.words) == ("text", "name")
    assert not second.prompts  # its name is not unique in the picture, and nothing else is said of it


def test_without_a_text_an_object_is_asked_for_by_a_prompt(new_source: NewSource) -> None:
    from dataclasses import replace

    feed = feed_of(new_source(6))
    feed.asker = Asker({Point: 1.0}, SharesSection(prompt=0, reference=0, text=1, mixed=0))
    batch = feed[0].batch
    assert batch is not None
    rng = np.random.default_rng(0)
    view = replace(batch.views[0], targets=tuple(replace(t, texts=()) for t in batch.views[0].targets))
    assert all(len(cell.regions) == 1 and not cell.prompts for cell in feed.asker.cells(view, rng))


def test_a_source_can_have_prompts_of_its_own(new_source: NewSource) -> None:
    sources = [new_source(3), new_source(3)]
    shares = SharesSection(prompt=1, reference=0, text=0, mixed=0)
    asker = Asker({Point: 1.0, Box: 1.0}, shares, by_source=[{"box": 0.0}, {"point": 0.0}])
    augment = Augment(AugmentSection(zoom=(1.0, 1.0), flip=0.0), 96, 2)
    feed = Feed(sources, Mixture([3, 3], [1.0, 1.0], 0), augment, asker, 0)
    kinds: dict[int, set[str]] = {0: set(), 1: set()}
    for number in range(12):
        batch = feed[number].batch
        assert batch is not None
        for cell in batch.cells:
            kinds[batch.views[0].source].add(cell.regions[0].kind)
    assert kinds == {0: {"exact"}, 1: {"extent"}}
