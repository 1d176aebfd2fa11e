"""The contract of data sets, and its checks without pytest."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from seemkit.errors import SeemkitError
from seemkit.testing.contract import check, named
from seemkit.testing.option_checks import OptionChecks
from seemkit.testing.report import Report
from seemkit.testing.violation import demand, fail, one_line, skip

if TYPE_CHECKING:
    from seemkit.data.dataset import Dataset, IndexedDataset
    from seemkit.data.sample import Sample

__all__ = ["DatasetContract", "check_dataset"]

MOST = 20
"""Samples that are looked at; a large data set is not read through."""


class DatasetContract(OptionChecks):
    """What every data set is held to; a subclass in a test file names it as ``dataset``.

    Attributes:
        dataset: the object behind the entry point.
        options: to open it with; a few samples are enough, and two are needed.
    """

    kind: ClassVar[str] = "datasets"
    dataset: ClassVar[Any]

    @classmethod
    def component(cls) -> object:
        """The data set."""
        return named(cls, "dataset")

    def open(self) -> Dataset:
        """The data set, opened anew."""
        found: Dataset = self.dataset.build(self.settings())
        return found

    def some(self) -> list[Sample]:
        """The first samples."""
        return list(islice(self.open(), MOST))

    def indexed(self) -> IndexedDataset:
        """The data set, if its samples are known by key; else the check is left out."""
        from seemkit.data.dataset import IndexedDataset

        found = self.open()
        if not isinstance(found, IndexedDataset):
            skip("it can only be read through")
        return found

    @check(
        "A data set has samples, and says what it is called",
        why="Reports and figures name it, and training on nothing ends at once.",
        mend="raise a SeemkitError in the constructor where there is nothing to read; give info a name",
    )
    def test_it_has_samples_and_a_name(self) -> None:
        from seemkit.data.dataset import DatasetInfo

        info = self.open().info
        if not isinstance(info, DatasetInfo):
            fail(f"has {type(info).__name__} as its info")
        demand(info.name.strip(), "has no name")
        demand(len(set(info.names)) == len(info.names), "has a category twice")
        demand(
            len(self.some()) >= 2, f"has {len(self.some())} samples with these options, where two are needed"
        )

    @check(
        "Iterating gives samples with keys of their own, and what is left out is among the faults",
        why="Keys name pictures in reports, lists of faults and the order of training.",
        mend="yield a Sample for each picture, with a key that no other has",
    )
    def test_every_sample_has_a_key_of_its_own(self) -> None:
        from seemkit.data.sample import Sample

        samples = self.some()
        wrong = [each for each in samples if not isinstance(each, Sample)]
        demand(not wrong, f"gave a {type(wrong[0]).__name__ if wrong else ''} where a Sample was expected")
        keys = [each.key for each in samples]
        demand(all(isinstance(key, str) and key for key in keys), f"gave the keys {keys[:3]}")
        demand(len(set(keys)) == len(keys), "gave a key twice")

    @check(
        "The order is the same each time, in a data set that is opened again too",
        why="A run that is taken up again goes on where it stopped.",
        mend="sort what a folder lists, and shuffle nothing: that is the reader's choice",
    )
    def test_the_order_is_always_the_same(self) -> None:
        data = self.open()
        first, again, other = (_keys(each) for each in (data, data, self.open()))
        demand(first == again, "gave another order the second time")
        demand(first == other, "gave another order when it was opened again")

    @check(
        "Image and masks of every sample can be read and are of one size",
        why="That is what they are for.",
        mend="give masks of the size of the image; one that cannot be read belongs among the faults",
    )
    def test_samples_can_be_read(self) -> None:
        for sample in self.some():
            try:
                whole = sample.loaded()
            except SeemkitError as error:
                fail(f"gave a sample that cannot be read: {one_line(error)}")
            image = whole.read_image()
            right = image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8
            demand(right, f"gave an image of {image.dtype} {image.shape} ({sample.key})")
            size = sample.size
            demand(size in (None, image.shape[:2]), f"said {size} of an image of {image.shape[:2]}")

    @check(
        "Reading a sample twice gives the same pixels",
        why="What is drawn at random is the reader's choice, and seeded by it.",
        mend="augment nothing, and draw nothing in read()",
    )
    def test_reading_twice_gives_the_same_pixels(self) -> None:
        for sample in self.some()[:3]:
            for read in (sample.read_image, *(each.read_mask for each in sample.objects[:3])):
                demand(np.array_equal(read(), read()), f"gave other pixels the second time ({sample.key})")

    @check(
        "Objects are of the categories that the data set names, and their boxes lie on the picture",
        why="Figures are counted by category, and a name that nobody knows counts as missed.",
        mend="list every category in info; give boxes as (x1, y1, x2, y2) in pixels",
    )
    def test_objects_are_as_announced(self) -> None:
        known = set(self.open().info.names)
        for sample in self.some():
            height, width = sample.read_image().shape[:2]
            for each in sample.objects:
                named_right = not known or each.name is None or each.name in known
                demand(named_right, f"has an object {each.name!r}, which is none of its categories")
                demand(all(text.strip() for text in each.phrases), f"has an empty phrase ({sample.key})")
                if each.box is not None:
                    x1, y1, x2, y2 = each.box
                    inside = -1 <= x1 <= x2 <= width + 1 and -1 <= y1 <= y2 <= height + 1
                    demand(inside, f"has the box {each.box} on a picture of {width} x {height}")

    @check(
        "Objects of a panoptic sample do not overlap",
        why="Every pixel belongs to one segment at most; panoptic quality is not defined otherwise.",
        mend="say panoptic=False, or leave out of a mask what lies under another",
    )
    def test_panoptic_masks_do_not_overlap(self) -> None:
        panoptic = [sample for sample in self.some() if sample.panoptic]
        if not panoptic:
            skip("its samples are not panoptic")
        for sample in panoptic:
            masks = [each.read_mask() for each in sample.objects if not each.is_crowd]
            if masks:
                demand(np.sum(masks, axis=0).max() <= 1, f"has masks that overlap ({sample.key})")

    @check(
        "Shards hold every sample once",
        why="Each worker reads its own, and what two read counts twice.",
        mend="leave shard() to the base class, and give all samples, in order, in samples() or all_keys()",
    )
    def test_shards_hold_every_sample_once(self) -> None:
        data = self.open()
        whole = _keys(data)
        for count in (1, 2, 3):
            shared = [key for index in range(count) for key in _keys(data.shard(index, count))]
            twice = sorted({key for key in shared if shared.count(key) > 1})
            demand(not twice, f"gave {', '.join(twice[:3])} in two of {count} shards")
            lost = sorted(set(whole) - set(shared))
            demand(not lost, f"gave {', '.join(lost[:3])} in none of {count} shards")

    @check(
        "A data set pickles, and its samples too",
        why="Workers get it by pickle.",
        mend="keep paths, not open files, lambdas or locks",
    )
    def test_it_can_be_pickled(self) -> None:
        data = self.open()
        again = pickle.loads(pickle.dumps(data))  # noqa: S301 - of our own making
        demand(_keys(again) == _keys(data), "gave other samples when it came back from pickle")
        sample = next(iter(data))
        back = pickle.loads(pickle.dumps(sample))  # noqa: S301 - of our own making
        demand(np.array_equal(back.read_image(), sample.read_image()), "gave a sample that lost its image")

    @check(
        "A data set of known keys has a length, and each sample by its place and by its key",
        why="It is a map-style data set of PyTorch, and subsets are chosen by key.",
        mend="give in all_keys() what read(key) takes, and the sample that key",
    )
    def test_places_and_keys_find_samples(self) -> None:
        data = self.indexed()
        keys = data.keys
        demand(len(data) == len(keys), f"has the length {len(data)} with {len(keys)} keys")
        sample = next(iter(data))
        demand(data[keys.index(sample.key)].key == sample.key, "gave another sample at the place of a key")
        demand(_keys(data.subset([sample.key])) == [sample.key], "gave another sample for a subset of one")

    @check(
        "A sample that turns out to be unusable is reported, and the data set goes on",
        why="One broken file of a hundred thousand does not end a night of training.",
        mend="leave reject() and faults to the base class, and raise a SeemkitError in read()",
    )
    def test_a_rejected_sample_is_reported(self) -> None:
        data = self.open()
        data.reject("a key", "it is broken")
        demand(any(fault.key == "a key" for fault in data.faults), "forgot a sample that was rejected")
        demand(_keys(data) == _keys(self.open()), "gave other samples after one was rejected")


def _keys(data: Dataset) -> list[str]:
    return [sample.key for sample in islice(data, MOST)]


def check_dataset(
    dataset: object, options: Mapping[str, object] | None = None, *, only: Iterable[str] | None = None
) -> Report:
    """Hold a data set to the contract, without pytest.

    Args:
        dataset: the object behind the entry point.
        options: to open it with.
        only: names of checks to run; by default all.
    """
    members = {"dataset": dataset, "options": dict(options or {})}
    contract = cast(type[DatasetContract], type("Checked", (DatasetContract,), members))
    return contract.report(only)
