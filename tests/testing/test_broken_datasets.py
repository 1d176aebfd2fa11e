"""For every check of data sets a plugin that breaks it, and, but for what is named, breaks no other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

from seemkit import api
from seemkit.testing import DatasetContract, check_dataset


class Sound(api.IndexedDataset):
    """A data set that keeps the contract."""

    class Options(BaseModel):
        """It has none."""

        model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def info(self) -> api.DatasetInfo:
        return api.DatasetInfo("sound", (api.Category("square"), api.Category("grey", is_thing=False)))

    def all_keys(self) -> Sequence[str]:
        return ["a", "b", "c", "d"]

    def read(self, key: str) -> api.Sample:
        mask = np.zeros((24, 32), bool)
        mask[4:12, 6:20] = True
        objects = (
            api.SampleObject(mask, "square", phrases=("the square",), box=(6, 4, 20, 12)),
            api.SampleObject(~mask, "grey", is_thing=False),
        )
        return api.Sample(key, np.full((24, 32, 3), 90, np.uint8), objects, size=(24, 32), panoptic=True)


class Nameless(Sound):
    """A data set without a name."""

    @property
    def info(self) -> api.DatasetInfo:
        return replace(super().info, name=" ")


class Alike(Sound):
    """A data set that calls every sample the same."""

    def read(self, key: str) -> api.Sample:
        return replace(super().read(key), key="sample")


class Shuffled(Sound):
    """A data set that turns its order around."""

    turned = False

    def all_keys(self) -> Sequence[str]:
        Shuffled.turned = not Shuffled.turned
        return list(super().all_keys())[:: -1 if Shuffled.turned else 1]


class Small(Sound):
    """A data set whose masks are of another size than its images."""

    def read(self, key: str) -> api.Sample:
        return replace(super().read(key), image=np.zeros((30, 40, 3), np.uint8), size=None)


class Augmented(Sound):
    """A data set that draws pixels."""

    def read(self, key: str) -> api.Sample:
        def draw() -> Any:
            return np.random.default_rng().random((24, 32)) < 0.5

        objects = (api.SampleObject(draw, "square"),)
        return replace(super().read(key), objects=objects)


class Strange(Sound):
    """A data set with a name that it does not announce."""

    def read(self, key: str) -> api.Sample:
        found = super().read(key)
        return replace(found, objects=(replace(found.objects[0], name="circle"), found.objects[1]))


class Sized(Sound):
    """A data set whose boxes are (x, y, width, height)."""

    def read(self, key: str) -> api.Sample:
        found = super().read(key)
        return replace(found, objects=(replace(found.objects[0], box=(20, 10, 12, 8)), found.objects[1]))


class Overlapping(Sound):
    """A data set whose segments overlap."""

    def read(self, key: str) -> api.Sample:
        found = super().read(key)
        whole = replace(found.objects[1], mask=np.ones((24, 32), bool))
        return replace(found, objects=(found.objects[0], whole))


class Whole(Sound):
    """A data set that gives every worker everything."""

    def shard(self, index: int, count: int) -> Any:
        return self


class Holding(Sound):
    """A data set that keeps a generator."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self.numbers = (n for n in range(4))


class Long(Sound):
    """A data set that counts wrongly."""

    def __len__(self) -> int:
        return 5


class Forgetful(Sound):
    """A data set that reports nothing."""

    @property
    def faults(self) -> Any:
        return ()


class Stream(api.Dataset):
    """A data set that can only be read through."""

    @property
    def info(self) -> api.DatasetInfo:
        return api.DatasetInfo("stream")

    def samples(self) -> Iterator[api.Sample]:
        for key in "abcd":
            yield replace(Sound.open().read(key), panoptic=False)


class Break(NamedTuple):
    """A broken plugin, the check that it fails, and those that fail with it."""

    dataset: type[api.Dataset]
    check: str
    too: frozenset[str] = frozenset()


BROKEN = [
    Break(Nameless, "test_it_has_samples_and_a_name"),
    Break(
        Alike,
        "test_every_sample_has_a_key_of_its_own",
        frozenset({"test_shards_hold_every_sample_once", "test_places_and_keys_find_samples"}),
    ),
    Break(
        Shuffled,
        "test_the_order_is_always_the_same",
        frozenset(
            {
                "test_shards_hold_every_sample_once",
                "test_it_can_be_pickled",
                "test_places_and_keys_find_samples",
                "test_a_rejected_sample_is_reported",
            }
        ),
    ),
    Break(Small, "test_samples_can_be_read"),
    Break(Augmented, "test_reading_twice_gives_the_same_pixels", frozenset({"test_it_can_be_pickled"})),
    Break(Strange, "test_objects_are_as_announced"),
    Break(Sized, "test_objects_are_as_announced"),
    Break(Overlapping, "test_panoptic_masks_do_not_overlap"),
    Break(Whole, "test_shards_hold_every_sample_once"),
    Break(Holding, "test_it_can_be_pickled"),
    Break(Long, "test_places_and_keys_find_samples"),
    Break(Forgetful, "test_a_rejected_sample_is_reported"),
]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.dataset.__name__)
def test_a_broken_data_set_fails_its_check_in_a_sentence(case: Break) -> None:
    report = check_dataset(case.dataset)
    failed = {each.name: each.reason for each in report.failed}
    assert case.check in failed, report
    assert set(failed) <= {case.check} | case.too, report
    assert f", but {case.dataset.__name__} " in failed[case.check]
    assert "\n" not in failed[case.check]


def test_sound_data_sets_keep_the_contract() -> None:
    report = check_dataset(Sound)
    assert (report.ok, report.skipped) == (True, ()), report
    report = check_dataset(Stream)
    assert report.ok, report
    skipped = {each.name for each in report.skipped}
    assert skipped == {"test_places_and_keys_find_samples", "test_panoptic_masks_do_not_overlap"}


def test_every_check_of_data_sets_has_a_plugin_that_fails_it() -> None:
    """Those of options in general are broken in test_broken_answer_policies.py."""
    own = {name for name in vars(DatasetContract) if name.startswith("test_")}
    assert {case.check for case in BROKEN} == own
