"""Data sets: sized, sharded, picklable, and what cannot be read is collected and not raised."""

import pickle
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

from seemkit import api


class Shelf(api.IndexedDataset):
    """Pictures a, b, c and d; b raises, and the mask of d does not fit."""

    class Options(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")
        side: int = 6

    @property
    def info(self) -> api.DatasetInfo:
        return api.DatasetInfo("shelf", (api.Category("cat"), api.Category("sky", is_thing=False)))

    def all_keys(self) -> Sequence[str]:
        return "abcd"

    def read(self, key: str) -> api.Sample:
        if key == "b":
            raise KeyError("annotation of b")
        side = self.options.side
        ids = np.arange(side * side, dtype=np.int32).reshape(side, side) // side
        if key == "d":
            ids = ids[1:]
        image = np.full((side, side, 3), ord(key), np.uint8)
        return api.Sample(key, image, (api.SampleObject(api.IdMask(ids, 2), "cat"),))


class Tape(api.Dataset):
    """Five numbered pictures that can only be read through; the third is damaged."""

    @property
    def info(self) -> api.DatasetInfo:
        return api.DatasetInfo("tape")

    def samples(self) -> Iterator[api.Sample | api.DataFault]:
        for n in range(5):
            yield (
                api.DataFault("2", "it is torn")
                if n == 2
                else api.Sample(str(n), np.zeros((2, 3, 3), np.uint8))
            )


def test_iterating_leaves_out_and_keeps_what_cannot_be_read():
    found = Shelf.open()
    assert [s.key for s in found] == ["a", "c", "d"]
    assert [s.key for s in found] == ["a", "c", "d"]  # again, and each fault is kept once
    assert found.faults == (api.DataFault("b", "KeyError: 'annotation of b'"),)


def test_loaded_samples_have_arrays_and_one_that_cannot_be_decoded_is_a_fault():
    found = Shelf.open()
    samples = list(found.loaded())
    assert [s.key for s in samples] == ["a", "c"]
    assert samples[0].size == (6, 6)
    assert samples[0].objects[0].mask.tolist() == [[row == 2] * 6 for row in range(6)]
    assert [fault.key for fault in found.faults] == ["b", "d"]
    assert "the mask of object 0 is 6 x 5, the picture 6 x 6" in found.faults[1].cause


def test_a_checked_sample_comes_with_all_that_is_wrong_with_it_each_time():
    found = Shelf.open()
    sample, faults = found.checked("a")
    assert sample.objects[0].mask[2].all()
    assert faults == ()
    for _ in range(2):
        assert found.checked("b") == (None, (api.DataFault("b", "KeyError: 'annotation of b'"),))
    found.checked("d")
    assert [fault.key for fault in found.faults] == ["b", "d"]
    sample, faults = Shelf.open(side=2).checked("a")  # rows 0 and 1, and the object is row 2
    assert faults == (api.DataFault("a#0", "the mask of its object 0 is empty"),)
    assert sample.key == "a"


def test_an_indexed_data_set_is_one_of_pytorch_too():
    found = Shelf.open()
    assert len(found) == 4
    assert found[2].key == "c"
    with pytest.raises(KeyError):
        found[1]


def test_shards_are_disjoint_and_together_all_and_have_faults_of_their_own():
    found = Shelf.open()
    parts = [found.shard(n, 3) for n in range(3)]
    assert [part.keys for part in parts] == [("a", "d"), ("b",), ("c",)]
    assert [len(part) for part in parts] == [2, 1, 1]
    assert [[s.key for s in part] for part in parts] == [["a", "d"], [], ["c"]]
    assert [len(part.faults) for part in parts] == [0, 1, 0]
    assert found.faults == ()
    assert found.shard(0, 2).shard(1, 2).keys == ("c",)
    with pytest.raises(api.SeemkitError, match="shard 3 of 3: expected 0 to 2"):
        found.shard(3, 3)


def test_a_stream_is_sharded_and_iterated_again_but_has_no_length():
    tape = Tape.open()
    assert [s.key for s in tape] == [s.key for s in tape] == ["0", "1", "3", "4"]
    assert tape.faults == (api.DataFault("2", "it is torn"),)
    assert [s.key for s in tape.shard(1, 2)] == ["1", "3"]
    assert [s.key for s in tape.shard(0, 2).shard(1, 2)] == []  # numbers 2, which is torn, and 6
    assert not hasattr(tape, "__len__")


def test_a_subset_goes_by_key_in_the_order_given():
    part = Shelf.open().subset(["d", "a"])
    assert part.keys == ("d", "a")
    assert [s.key for s in part] == ["d", "a"]
    with pytest.raises(api.SeemkitError, match="shelf has no sample 'c'"):
        part.subset(["c"])


def test_a_subset_keeps_what_is_known_to_be_wrong_with_its_samples_and_with_none():
    found = Shelf.open()
    for key in ("a", "b", "d#7", "c#a#1", "index.json#9"):
        found.reject(key, "it is wrong")
    assert [fault.key for fault in found.subset(["d", "a"]).faults] == ["a", "d#7", "index.json#9"]
    assert [fault.key for fault in found.subset([]).faults] == ["index.json#9"]
    assert found.shard(0, 2).faults == ()


def test_it_pickles_with_shard_and_subset():
    part = Shelf.open(side=3).subset(["a", "c", "d"]).shard(0, 2)
    again = pickle.loads(pickle.dumps(part))  # noqa: S301
    assert again.keys == ("a", "d")
    assert again[0].read_image().shape == (3, 3, 3)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sid": 4}, "Shelf: sid: 'Shelf' has no option 'sid'; did you mean 'side'?"),
        ({"side": "four"}, "Shelf: side: got 'four', expected a valid integer"),
    ],
)
def test_wrong_options_are_one_sentence(options, says):
    with pytest.raises(api.SeemkitError) as caught:
        Shelf.open(**options)
    assert str(caught.value).startswith(says)


def test_it_is_opened_by_the_name_of_its_plugin(plugins):
    plugins.register("datasets", "shelf", Shelf)
    assert api.open_dataset("shelf").options.side == 6
    found = api.open_dataset({"use": "local/shelf", "side": 3})
    assert next(iter(found)).read_image().shape == (3, 3, 3)
    with pytest.raises(ValueError, match=r"side: got 'x'"):
        api.open_dataset({"use": "shelf", "side": "x"})
    with pytest.raises(ValueError, match=r"no datasets component is named 'shelv'; did you mean 'shelf'\?"):
        api.open_dataset("shelv")


def test_a_plugin_that_fails_to_open_is_named(plugins):
    class Broken(Shelf):
        def __init__(self, options: BaseModel) -> None:
            raise RuntimeError("no disk")

    plugins.register("datasets", "broken", Broken)
    with pytest.raises(
        api.SeemkitError, match="'broken' of the plugin 'local' cannot be opened: RuntimeError: no disk"
    ):
        api.open_dataset("broken")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (object(), "not a subclass of Dataset or IndexedDataset"),
        (type("Half", (api.IndexedDataset,), {}), "it lacks the method 'all_keys', 'info', 'read'"),
    ],
)
def test_what_is_no_data_set_is_not_registered(plugins, value, says):
    with pytest.raises(ValueError, match=says):
        plugins.register("datasets", "wrong", value)
