"""For every check of exporters a plugin that breaks it, and, but for what is named, breaks no other."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest
from pydantic import BaseModel, ConfigDict

from seemkit import api
from seemkit.testing import ExporterContract, check_exporter


class Sound:
    """An exporter that keeps the contract."""

    suffixes: ClassVar[Any] = (".json",)

    class Options(BaseModel):
        """It has none."""

        model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def build(cls, options: Any) -> "Sound":
        return cls()

    def content(self, result: Any, photo: str) -> str:
        return json.dumps([photo, result.objects, result.to_polygons()])

    def export(self, result: Any, path: Path, *, photo: str) -> Sequence[Path]:
        with api.replacing(path) as file:
            file.write(self.content(result, photo).encode())
        return [path]


class Suffixed(Sound):
    """An exporter whose suffix is no ending."""

    suffixes: ClassVar[Any] = ("json",)


class Secretive(Sound):
    """An exporter that writes more than it says."""

    def export(self, result: Any, path: Path, *, photo: str) -> Sequence[Path]:
        with api.replacing(path.with_name("names.txt")) as file:
            file.write(b"names")
        return super().export(result, path, photo=photo)


class Dated(Sound):
    """An exporter that numbers its files."""

    def content(self, result: Any, photo: str) -> str:
        return super().content(result, photo) + str(uuid.uuid4())


class Vague(Sound):
    """An exporter that counts."""

    def content(self, result: Any, photo: str) -> str:
        return "a mask or more"


class Round(Sound):
    """An exporter that expects something in each mask."""

    def content(self, result: Any, photo: str) -> str:
        assert all(mask.any() for mask in result.masks)
        return super().content(result, photo)


class Hopeful(Sound):
    """An exporter that expects a mask."""

    def content(self, result: Any, photo: str) -> str:
        return f"{result.objects[0]} {super().content(result, photo)}"


class Needy(Sound):
    """An exporter that wants the photo."""

    def content(self, result: Any, photo: str) -> str:
        return f"{result.image.shape} {super().content(result, photo)}"


class Plain(Sound):
    """An exporter for what prompts gave."""

    def content(self, result: Any, photo: str) -> str:
        return super().content(result, photo) + {"segment": ""}[result.task]


class Byte(Sound):
    """An exporter that numbers masks in a byte."""

    def content(self, result: Any, photo: str) -> str:
        return super().content(result, photo) + bytes([len(result)]).decode("latin-1")


class Western(Sound):
    """An exporter of Latin letters."""

    def content(self, result: Any, photo: str) -> str:
        for name in result.objects:
            name.encode("latin-1")
        return super().content(result, photo)


class Appending(Sound):
    """An exporter that writes over the beginning of a file."""

    def export(self, result: Any, path: Path, *, photo: str) -> Sequence[Path]:
        if not path.exists():
            return super().export(result, path, photo=photo)
        with path.open("r+b") as file:
            file.write(self.content(result, photo).encode())
        return [path]


class Careless(Sound):
    """An exporter that opens files itself."""

    def export(self, result: Any, path: Path, *, photo: str) -> Sequence[Path]:
        path.write_text(self.content(result, photo))
        return [path]


class Break(NamedTuple):
    """A broken plugin, the check that it fails, and those that fail with it."""

    exporter: type[Sound]
    check: str
    too: frozenset[str] = frozenset()


BROKEN = [
    Break(Suffixed, "test_its_suffixes_are_endings"),
    Break(
        Secretive,
        "test_it_names_the_files_that_it_writes",
    ),
    Break(
        Dated,
        "test_the_same_result_gives_the_same_bytes",
        frozenset({"test_a_file_that_is_there_is_replaced"}),
    ),
    Break(Vague, "test_different_masks_give_different_files"),
    Break(Round, "test_masks_of_any_shape_pass"),
    Break(Hopeful, "test_a_result_without_masks_passes"),
    Break(Needy, "test_a_bare_result_passes"),
    Break(Plain, "test_results_of_every_task_pass"),
    Break(Byte, "test_many_masks_pass"),
    Break(Western, "test_names_of_any_characters_pass"),
    Break(Appending, "test_a_file_that_is_there_is_replaced"),
    Break(Careless, "test_a_file_that_cannot_be_written_is_refused"),
]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.exporter.__name__)
def test_a_broken_exporter_fails_its_check_in_a_sentence(case: Break) -> None:
    report = check_exporter(case.exporter)
    failed = {each.name: each.reason for each in report.failed}
    assert case.check in failed, report
    assert set(failed) <= {case.check} | case.too, report
    assert f", but {case.exporter.__name__} " in failed[case.check]
    assert "\n" not in failed[case.check]


def test_a_sound_exporter_keeps_the_contract() -> None:
    report = check_exporter(Sound)
    assert (report.ok, report.skipped) == (True, ()), report


def test_every_check_of_exporters_has_a_plugin_that_fails_it() -> None:
    """Those of options in general are broken in test_broken_answer_policies.py."""
    own = {name for name in vars(ExporterContract) if name.startswith("test_")}
    assert {case.check for case in BROKEN} == own
