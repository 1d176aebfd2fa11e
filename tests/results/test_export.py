"""Exporters by name: names, options and files are checked first, and a plugin that fails is named."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

from seemkit import api
from seemkit.results.export import plan_export


class Sizes:
    """Writes the size of the photo."""

    suffixes = (".size", ".sizes")

    class Options(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")
        times: int = 1

    def __init__(self, options: Options) -> None:
        self.options = options

    @classmethod
    def build(cls, options: Options) -> "Sizes":
        return cls(options)

    def export(self, result: api.Result, path: Path, *, photo: str) -> list[Path]:
        if self.options.times == 0:
            raise RuntimeError("nothing to do")
        height, width = result.size
        path.write_text(f"{photo} {self.options.times * width} {self.options.times * height}")
        return [path]


@pytest.fixture
def result() -> api.Result:
    return api.Result(np.zeros((0, 3, 4), bool), np.zeros(0))


@pytest.fixture(autouse=True)
def sizes(plugins):
    plugins.register("exporters", "sizes", Sizes)


def test_a_plugin_writes_with_its_options(result, tmp_path):
    assert result.export("sizes", tmp_path / "a.size", times=2) == [tmp_path / "a.size"]
    assert (tmp_path / "a.size").read_text() == "a.jpg 8 6"
    result.export("local/sizes", str(tmp_path / "b.sizes"), photo="b.png")
    assert (tmp_path / "b.sizes").read_text() == "b.png 4 3"


@pytest.mark.parametrize(
    ("form", "name", "options", "says"),
    [
        ("size", "a.size", {}, "no exporters component is named 'size'; did you mean 'sizes'"),
        ("sizes", "a.size", {"time": 3}, "'sizes' has no option 'time'; did you mean 'times'"),
        ("sizes", "a.size", {"times": "x"}, "times: got 'x', expected a valid integer"),
        ("sizes", "a.sice", {}, "which ends in .size or .sizes; did you mean '.*a.size'"),
        ("sizes", "a", {}, "did you mean '.*a.size'"),
        ("sizes", "no/a.size", {}, "there is no directory"),
        (
            "coco",
            "a.png",
            {},
            "is no file of the format 'coco', which ends in .json; did you mean '.*a.json'",
        ),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(result, tmp_path, form, name, options, says):
    with pytest.raises(ValueError, match=says):
        plan_export(form, tmp_path / name, options)
    assert list(tmp_path.iterdir()) == []


def test_a_plugin_that_raises_is_named(result, tmp_path):
    with pytest.raises(
        api.SeemkitError, match="'sizes' of the plugin 'local' raised RuntimeError: nothing to do"
    ):
        result.export("sizes", tmp_path / "a.size", times=0)


def test_what_is_no_exporter_is_not_registered(plugins):
    with pytest.raises(ValueError, match="without a pydantic model 'Options'"):
        plugins.register("exporters", "wrong", object())
