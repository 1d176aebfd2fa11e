"""The contract of exporters, and its checks without pytest."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from seemkit.errors import SeemkitError
from seemkit.testing.contract import check, named
from seemkit.testing.option_checks import OptionChecks
from seemkit.testing.report import Report
from seemkit.testing.violation import demand, fail, one_line

if TYPE_CHECKING:
    from seemkit import Result

__all__ = ["ExporterContract", "check_exporter"]

PHOTO = "photo.jpg"
ODD = ("a, b", 'the "dog"', "größer 狗 🐕", "two\nlines", "", "../up")
"""Names of objects, labels and photos that formats tend to trip over."""


class ExporterContract(OptionChecks):
    """What every exporter is held to; a subclass in a test file names it as ``exporter``.

    Attributes:
        exporter: the object behind the entry point.
        options: to build it with.
    """

    kind: ClassVar[str] = "exporters"
    exporter: ClassVar[Any]

    @classmethod
    def component(cls) -> object:
        """The exporter."""
        return named(cls, "exporter")

    @check(
        "An exporter says what its files may end in: endings such as '.json', the usual one first; or none for any",
        why="A file of another ending is refused before anything is computed.",
        mend='give the class suffixes = (".json",)',
    )
    def test_its_suffixes_are_endings(self) -> None:
        suffixes = getattr(self.exporter, "suffixes", None)
        if not isinstance(suffixes, tuple):
            fail(f"has the suffixes {suffixes!r}")
        wrong = [s for s in suffixes if not (isinstance(s, str) and re.fullmatch(r"(\.[a-z0-9]+)+", s))]
        demand(not wrong, f"has the suffix {wrong[:1]}")

    @check(
        "The files that were written are those that are named, the one that was asked for among them",
        why="The command line says what was written, and removes nothing that it was not told of.",
        mend="return the paths of all files, and write others beside the one that was asked for",
    )
    def test_it_names_the_files_that_it_writes(self) -> None:
        with self._folder() as folder:
            found = self._export(pictures()["two masks"], folder)
            there = {path for path in folder.rglob("*") if path.is_file()}
            demand(set(found) == there, f"named {_names(found)} where it wrote {_names(there)}")
            demand(folder / self._name() in there, f"did not write {self._name()}, which was asked for")
            demand(all(path.stat().st_size for path in there), "wrote an empty file")

    @check(
        "The same result gives the same bytes",
        why="A data set that is exported again has to be the same for those who keep its hash.",
        mend="write no time, no random id and no order of a set",
    )
    def test_the_same_result_gives_the_same_bytes(self) -> None:
        result = pictures()["two masks"]
        demand(self._bytes(result) == self._bytes(result), "wrote other bytes for the same result")

    @check(
        "Different masks give different files",
        why="A file that does not depend on the masks holds none.",
        mend="write the masks",
    )
    def test_different_masks_give_different_files(self) -> None:
        found = pictures()
        demand(
            self._bytes(found["two masks"]) != self._bytes(found["holes and parts"]),
            "wrote the same bytes for other masks",
        )

    @check(
        "Masks that are empty, have holes or parts, or are as large as the photo are written, or refused in a sentence",
        why="Models give such masks.",
        mend="leave out what the format cannot hold, or raise a SeemkitError that names the mask",
    )
    def test_masks_of_any_shape_pass(self) -> None:
        for what in ("two masks", "holes and parts", "an empty mask", "all pixels", "one pixel"):
            self._demand_written(what, pictures()[what])

    @check(
        "A result without masks is written, or refused in one sentence",
        why="Where nothing is found, there is nothing to write, and a folder of photos goes on.",
        mend="expect len(result) == 0",
    )
    def test_a_result_without_masks_passes(self) -> None:
        self._demand_written("no mask", pictures()["no mask"])

    @check(
        "A result without labels, logits and image is written, or refused in one sentence",
        why="Without a vocabulary there are no labels; a saved result may have lost its photo.",
        mend="use result.names[n] or result.objects[n], and no photo but its size",
    )
    def test_a_bare_result_passes(self) -> None:
        self._demand_written("neither labels nor image", pictures()["neither labels nor image"])

    @check(
        "Panoptic and semantic results are written, or refused in one sentence",
        why="They are results like others to whoever asks for a file.",
        mend="read result.segments and result.semantic where they are there",
    )
    def test_results_of_every_task_pass(self) -> None:
        for what in ("panoptic", "semantic"):
            self._demand_written(what, pictures()[what])

    @check(
        "Three hundred masks are written, or refused in one sentence",
        why="Everything mode gives as many on a busy photo.",
        mend="use a wider number, or raise a SeemkitError that says how many the format holds",
    )
    def test_many_masks_pass(self) -> None:
        self._demand_written("300 masks", pictures()["300 masks"])

    @check(
        "Names of any characters, of objects, labels and photos, are written, or refused in one sentence",
        why="People write in their own script, and names come from requests.",
        mend="quote names as the format wants it, write UTF-8, or raise a SeemkitError that names the name",
    )
    def test_names_of_any_characters_pass(self) -> None:
        for name in ODD:
            self._demand_written(f"the name {name!r}", _result(name=name), photo=name or PHOTO)

    @check(
        "A file that is there is replaced as a whole",
        why="A longer file that was there would leave its end behind.",
        mend="write with seemkit.api.replacing(path)",
    )
    def test_a_file_that_is_there_is_replaced(self) -> None:
        result = pictures()["two masks"]
        fresh = self._bytes(result)
        with self._folder() as folder:
            (folder / self._name()).write_bytes(b"x" * 100_000)
            self._export(result, folder)
            demand(
                (folder / self._name()).read_bytes() == fresh[self._name()], "left something of the old file"
            )

    @check(
        "A file that cannot be written is one sentence, and nothing is left behind",
        why="The command line ends with that sentence, never with a traceback.",
        mend="write with seemkit.api.replacing(path)",
    )
    def test_a_file_that_cannot_be_written_is_refused(self) -> None:
        with self._folder() as folder:
            try:
                self._export(pictures()["two masks"], folder / "missing")
            except SeemkitError as error:
                demand("\n" not in str(error).strip(), f"said {str(error)!r}, which is not one line")
            except Exception as error:  # of the plugin
                fail(f"met a folder that is not there with {type(error).__name__}: {one_line(error)}")
            else:
                fail("made a folder, or wrote elsewhere")
            demand(not list(folder.rglob("*")), "left something behind")

    def _name(self) -> str:
        suffixes = self.exporter.suffixes
        return f"masks{suffixes[0] if suffixes else '.out'}"

    @staticmethod
    @contextmanager
    def _folder() -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="seemkit-check-") as folder:
            yield Path(folder)

    def _export(self, result: Result, folder: Path, photo: str = PHOTO) -> list[Path]:
        built = self.exporter.build(self.settings())
        return [Path(path) for path in built.export(result, folder / self._name(), photo=photo)]

    def _bytes(self, result: Result) -> dict[str, bytes]:
        """What is written, by file name."""
        with self._folder() as folder:
            return {path.name: path.read_bytes() for path in self._export(result, folder)}

    def _demand_written(self, what: str, result: Result, photo: str = PHOTO) -> None:
        with self._folder() as folder:
            try:
                written = self._export(result, folder, photo)
            except SeemkitError as error:
                demand(
                    "\n" not in str(error).strip(), f"met {what} with {str(error)!r}, which is not one line"
                )
                demand(not list(folder.rglob("*")), f"refused {what}, but left a file behind")
                return
            except Exception as error:  # of the plugin
                fail(f"met {what} with {type(error).__name__}: {one_line(error)}")
            strays = [path for path in written if path.parent != folder]
            demand(not strays, f"wrote {_names(strays)} elsewhere ({what})")


def pictures() -> dict[str, Result]:
    """Results (N, 30, 40) of every sort, by what is in them."""
    from seemkit.result import Result, Segment, Segments

    masks = np.zeros((3, 30, 40), bool)
    masks[0, 4:20, 3:18] = True
    masks[1, 10:26, 12:30] = True
    masks[2] = masks[0]
    masks[2, 8:12, 6:10] = False
    masks[2, 24:28, 30:38] = True
    many = np.zeros((300, 30, 40), bool)
    for n in range(300):
        many[n, n % 30, n % 40 : n % 40 + 3] = True
    ids = np.where(masks[0], 1, np.where(masks[1], 2, 0)).astype(np.int32)
    parts = tuple(
        Segment(id=n, label=name, score=0.9, thing=n == 1, area=int((ids == n).sum()))
        for n, name in ((1, "cat"), (2, "grass"))
    )
    common: dict[str, Any] = {"vocabulary": ("cat", "grass")}
    return {
        "two masks": _result(masks[:2]),
        "holes and parts": _result(masks[2:]),
        "an empty mask": _result(np.zeros((1, 30, 40), bool)),
        "all pixels": _result(np.ones((1, 30, 40), bool)),
        "one pixel": _result(np.eye(30, 40, dtype=bool)[None] & (np.arange(40) == 5)),
        "no mask": _result(masks[:0]),
        "300 masks": _result(many),
        "neither labels nor image": Result(masks[:2], np.array([0.9, 0.5], np.float32)),
        "panoptic": _result(
            np.stack([ids == 1, ids == 2]), task="panoptic", segments=Segments(ids, parts), **common
        ),
        "semantic": _result(
            np.stack([ids == 1, ids == 2]), task="semantic", semantic=ids.astype(np.int64) - 1, **common
        ),
    }


def _result(masks: NDArray[np.bool_] | None = None, *, name: str = "cat", **more: Any) -> Result:
    """A result whose masks are all labelled `name`, and whose objects are called so."""
    from seemkit.result import Result

    masks = np.eye(30, 40, dtype=bool)[None] if masks is None else masks
    count = len(masks)
    fields: dict[str, Any] = {
        "objects": tuple(f"{name}{n or ''}" for n in range(count)),
        "labels": tuple(((name, 0.75), ("grass", 0.25)) for _ in range(count)),
        "vocabulary": (name, "grass"),
        "image": np.full((*masks.shape[1:], 3), 90, np.uint8),
        **more,
    }
    return Result(masks, np.linspace(0.9, 0.5, count).astype(np.float32), **fields)


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(sorted(path.name for path in paths)) or "nothing"


def check_exporter(
    exporter: object, options: Mapping[str, object] | None = None, *, only: Iterable[str] | None = None
) -> Report:
    """Hold an exporter to the contract, without pytest.

    Args:
        exporter: the object behind the entry point.
        options: to build it with.
        only: names of checks to run; by default all.
    """
    members = {"exporter": exporter, "options": dict(options or {})}
    contract = cast(type[ExporterContract], type("Checked", (ExporterContract,), members))
    return contract.report(only)
