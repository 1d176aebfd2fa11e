"""The base of data-set plugins: an iterable of samples that collects what could not be read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar, Self

from pydantic import BaseModel, ValidationError

from seemkit.choice import NoOptions, refuse_options
from seemkit.data.sample import Category, Sample
from seemkit.errors import SeemkitError
from seemkit_registry.fault import describe_exception

__all__ = ["DataFault", "Dataset", "DatasetInfo", "IndexedDataset"]

UNREADABLE = (ValueError, OSError, LookupError)
"""What reading a sample may raise (a SeemkitError is a ValueError); anything else is an error of the plugin."""


@dataclass(frozen=True)
class DataFault:
    """A sample that could not be read.

    Attributes:
        key: of the sample.
        cause: one sentence.
    """

    key: str
    cause: str


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before a sample is read.

    Attributes:
        name: for reports, such as "COCO val2017".
        categories: its classes, in its order; empty if its objects have no names.
        license: terms of images and annotations, in a sentence; empty if they are not known.
        panoptic: as that of its samples.
        complete: as that of its samples.
        source: where it comes from: a citation or an address; may be empty.
    """

    name: str
    categories: tuple[Category, ...] = ()
    license: str = ""
    panoptic: bool = False
    complete: bool = False
    source: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the categories, in order."""
        return tuple(category.name for category in self.categories)


class Dataset(ABC):
    """Samples from somewhere; the base of the plugins of kind ``datasets``.

    A subclass has a pydantic model ``Options`` and takes its value in the constructor, which finds out what
    there is, hands the value on (``super().__init__(options)``) and raises a :class:`SeemkitError` if there is
    nothing to read. One whose samples can be told
    beforehand derives from :class:`IndexedDataset` and is sized; one that can only be read through gives
    :meth:`samples`. It pickles (it keeps no open file), so that workers can have it, and may be iterated any
    number of times. A sample that cannot be read is left out and kept in :attr:`faults`.
    """

    Options: ClassVar[type[BaseModel]] = NoOptions

    def __init__(self, options: BaseModel) -> None:
        self.options = options
        self._faults: dict[str, DataFault] = {}
        self._shard = (0, 1)

    @classmethod
    def open(cls, **options: object) -> Self:
        """The data set for options by name.

        Raises:
            SeemkitError: an option is wrong, or nothing is where they say.
        """
        try:
            settings = cls.Options(**options)
        except ValidationError as error:
            raise refuse_options(error, cls.Options, cls.__name__) from error
        return cls.build(settings)

    @classmethod
    def build(cls, options: BaseModel) -> Self:
        """The data set for a value of ``Options``."""
        return cls(options)

    @property
    @abstractmethod
    def info(self) -> DatasetInfo:
        """What is known of it before a sample is read."""

    @abstractmethod
    def samples(self) -> Iterator[Sample | DataFault]:
        """Every sample, in an order that is always the same, or in its place why it cannot be read."""

    def __iter__(self) -> Iterator[Sample]:
        """The samples of this shard that can be read; the others are kept in `faults`."""
        for found in self._of_shard():
            if isinstance(found, DataFault):
                self._faults[found.key] = found
            else:
                yield found

    def loaded(self) -> Iterator[Sample]:
        """As iterating, with image and masks decoded; a sample for which that fails is kept in `faults`."""
        for sample in self:
            try:
                decoded = sample.loaded()
            except UNREADABLE as error:
                self.reject(sample.key, error)
                continue
            yield decoded

    def reject(self, key: str, error: Exception | str) -> None:
        """Enter a sample that turned out not to be usable."""
        self._faults[key] = _fault(key, error)

    def inspect(self, sample: Sample) -> None:
        """Enter what the masks of a sample have wrong though they can be decoded: an object's is empty.

        Masks that are not decoded yet are. A subclass may look at more.

        Raises:
            SeemkitError: a mask cannot be decoded.
        """
        for place, each in enumerate(sample.objects):
            if not each.read_mask().any():
                name = each.key or place
                self.reject(f"{sample.key}#{name}", f"the mask of its object {name} is empty")

    @property
    def faults(self) -> tuple[DataFault, ...]:
        """What could not be read so far, each sample once."""
        return tuple(self._faults.values())

    def shard(self, index: int, count: int) -> Self:
        """Every `count`-th sample from `index` on, for one of `count` workers; with faults of its own."""
        if not 0 <= index < count:
            raise SeemkitError(f"shard {index} of {count}: expected 0 to {count - 1}", path="shard")
        before, every = self._shard
        part = self._fresh()
        part._shard = (before + index * every, every * count)
        return part

    def _of_shard(self) -> Iterator[Sample | DataFault]:
        index, count = self._shard
        return islice(self.samples(), index, None, count)

    def _fresh(self) -> Self:
        other = copy(self)
        other._faults = {}
        return other


class IndexedDataset(Dataset):
    """A data set whose samples are known by key, so that it has a length and each can be read by itself.

    It is a map-style data set of PyTorch too: ``len``, and ``dataset[place]``.
    """

    def __init__(self, options: BaseModel) -> None:
        super().__init__(options)
        self._chosen: tuple[str, ...] | None = None

    @abstractmethod
    def all_keys(self) -> Sequence[str]:
        """Keys of all samples, in an order that is always the same; cheap: nothing is decoded."""

    @abstractmethod
    def read(self, key: str) -> Sample:
        """One sample: its annotations are read, its image is not decoded.

        Raises:
            SeemkitError: it cannot be read.
        """

    def checked(self, key: str) -> tuple[Sample | None, tuple[DataFault, ...]]:
        """One sample with image and masks decoded, None if that fails, beside all that is wrong with it.

        An annotation that is left out is wrong, and so is what `inspect` enters. What is wrong is said each
        time, whatever was read before, and kept in `faults` too.
        """
        before, self._faults = self._faults, {}
        sample = None
        try:
            decoded = self.read(key).loaded()
            self.inspect(decoded)
            sample = decoded
        except UNREADABLE as error:
            self.reject(key, error)
        finally:
            found, self._faults = self._faults, {**before, **self._faults}
        return sample, tuple(found.values())

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of this data set, of this subset or of this shard."""
        index, count = self._shard
        return tuple(self.all_keys() if self._chosen is None else self._chosen)[index::count]

    def samples(self) -> Iterator[Sample | DataFault]:
        """Every sample, or in its place why it cannot be read; of a shard too, those of all shards."""
        return map(self._try, self.all_keys() if self._chosen is None else self._chosen)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, place: int) -> Sample:
        """The sample at a place; raises what `read` raises if it cannot be read."""
        return self.read(self.keys[place])

    def subset(self, keys: Sequence[str]) -> Self:
        """The samples with these keys, in the order given.

        Of the faults that are known it keeps those of its own samples, and those of no sample: what is wrong with an
        index of annotations is wrong with every part of it.

        Raises:
            SeemkitError: there is no such sample.
        """
        known, chosen = set(self.keys), set(keys)
        for key in keys:
            if key not in known:
                raise SeemkitError(f"{self.info.name} has no sample {key!r}", path="keys")
        part = self._fresh()
        part._chosen, part._shard = tuple(keys), (0, 1)
        gone = known - chosen
        part._faults = {key: fault for key, fault in self._faults.items() if not _is_of(key, gone)}
        return part

    def _of_shard(self) -> Iterator[Sample | DataFault]:
        return map(self._try, self.keys)  # nothing of the other shards is read

    def _try(self, key: str) -> Sample | DataFault:
        try:
            return self.read(key)
        except UNREADABLE as error:
            return _fault(key, error)


def _is_of(fault: str, keys: Collection[str]) -> bool:
    """Whether the key of a fault is of one of these samples: KEY itself, or KEY#PART."""
    places = (place for place, sign in enumerate(fault) if sign == "#")
    return fault in keys or any(fault[:place] in keys for place in places)


def _fault(key: str, error: Exception | str) -> DataFault:
    if isinstance(error, str | SeemkitError):
        return DataFault(key, str(error))
    return DataFault(key, describe_exception(error)[0])
