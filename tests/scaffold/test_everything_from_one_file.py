"""One file makes a prompt type, and once it is installed it is there wherever prompts are.

The plugin is a new project, untouched, that pip installed a moment ago: the tree knows nothing of it. Each place
where a prompt type has to appear is one walk below.
"""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import jsonschema
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

import seemkit
import seemkit_registry
from seemkit import Model, host
from seemkit.api import SpatialPrompt, prompt_types, read_prompt
from seemkit.cli.main import cli
from seemkit.data.sample import Sample, SampleObject
from seemkit.demo.steps import Step, simulated_steps
from seemkit.imaging.load import load_image
from seemkit.prompts import Point
from seemkit.training.augment import Augment
from seemkit.training.batch import Batch
from seemkit.training.cell import Asker
from seemkit.training.name_tables import NameTables
from seemkit.training.objective import Objective
from seemkit.training.objective import Step as TrainingStep
from seemkit.training.recipe.sections import AugmentSection, ObjectiveSection, PointsSection, SharesSection

TYPE, CLASS, VALUE = "new-prompt", "NewPrompt", "30,20,5"
JSON = {"type": TYPE, "x": 30.0, "y": 20.0, "radius": 5.0}


@pytest.fixture
def _installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that sees the new plugin beside what is installed anyway."""
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(seemkit_registry, "_default", None)
    host.registry.cache_clear()
    yield
    host.registry.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def _forgotten() -> Iterator[None]:
    """What was imported of it is forgotten at the end."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("seemkit_new_"):
            del sys.modules[name]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of 64 x 48 pixels (width x height): a bright square on grey."""
    pixels = np.full((48, 64, 3), 90, np.uint8)
    pixels[10:34, 16:46] = (200, 160, 60)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@cache
def nano() -> Model:
    return seemkit.load("nano", device="cpu")


def run(*words: object) -> Result:
    outcome = CliRunner().invoke(cli, [str(word) for word in words], prog_name="seemkit")
    assert outcome.exit_code == 0, outcome.output
    return outcome


def square() -> np.ndarray[Any, np.dtype[np.bool_]]:
    mask = np.zeros((48, 64), bool)
    mask[10:34, 16:46] = True
    return mask


def in_python(photo: Path) -> None:
    kind = getattr(importlib.import_module("seemkit.prompts"), CLASS)
    assert kind.__module__ == "seemkit_new_prompt.new_prompt"
    model = nano()
    scene = model.encode(str(photo))
    prompt = kind(x=30, y=20, radius=5)
    assert model.segment(scene, [prompt, Point(x=2, y=2, include=False)]).masks.shape == (1, 48, 64)
    session = model.session(scene)
    result = session.add(prompt).result()
    again = seemkit.replay(json.loads(json.dumps(session.log())), str(photo), model=model)
    assert np.array_equal(result.logits, again.logits)


def in_json(photo: Path) -> None:
    prompt = read_prompt(JSON)
    assert type(prompt).__name__ == CLASS
    assert read_prompt(json.loads(prompt.model_dump_json())) == prompt
    by_value, by_json = nano().segment(str(photo), [prompt]), nano().segment(str(photo), [JSON])
    assert np.array_equal(by_value.logits, by_json.logits)


def on_the_command_line(photo: Path) -> None:
    help_text = " ".join(run("segment", "--help").output.split())
    assert f"--{TYPE}, --not-{TYPE} x,y,radius A spot on the object" in help_text
    assert f"Such as --{TYPE} 20,15,4" in help_text
    out = photo.with_name("out.json")
    run("segment", photo, f"--{TYPE}", VALUE, f"--not-{TYPE}", "2,2,1", "--json", out)
    (mask,) = json.loads(out.read_text())["masks"]
    assert mask["area"] == int(
        nano()
        .segment(str(photo), [JSON, {**JSON, "x": 2, "y": 2, "radius": 1, "include": False}])
        .masks.sum()
    )


def in_the_schema(photo: Path) -> None:
    schema = json.loads(run("schema", "prompts").output)
    jsonschema.validate(JSON, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**JSON, "radius": -1}, schema)
    one = json.loads(run("schema", TYPE).output)
    assert set(one["properties"]) == {*JSON, "object", "include"}
    assembly = json.loads(run("schema").output)
    jsonschema.validate({"seemkit": 1, "extends": "nano", "prompts": ["points", TYPE]}, assembly)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"seemkit": 1, "extends": "nano", "prompts": ["points", f"{TYPE}s"]}, assembly)


def in_the_listing(photo: Path) -> None:
    listed = json.loads(run("plugins", "prompts", "--json").output)["components"]
    (row,) = [row for row in listed if row["name"] == TYPE]
    assert row["qualified"] == "seemkit-new-prompt/new-prompt"
    assert row["summary"].startswith("A spot on the object")
    (about,) = json.loads(run("info", TYPE, "--json").output)
    assert about["flags"] == [f"--{TYPE}", f"--not-{TYPE}"]
    assert about["line"] == 11


def in_the_docs(photo: Path) -> None:
    run("docs", "-o", photo.parent / "docs")
    page = (photo.parent / "docs/prompts/seemkit-new-prompt-new-prompt.md").read_text()
    assert "A spot on the object" in page
    assert f"--{TYPE} 20,15,4" in page
    assert "prompts/seemkit-new-prompt-new-prompt.md" in (photo.parent / "docs/index.md").read_text()


def in_training(photo: Path) -> None:
    kind = prompt_types()[TYPE]
    assert issubclass(kind, SpatialPrompt)
    sample = Sample("photo", load_image(str(photo)), (SampleObject(square(), "square"),))
    model = seemkit.load("nano", device="cpu")
    still = AugmentSection(zoom=(1.0, 1.0), flip=0.0, colour=0.0)
    view = Augment(still, 64, 1, nearness=model.network.nearness).view(sample, 0)
    assert view is not None
    asker = Asker({kind: 1.0}, SharesSection(prompt=1, reference=0, text=0, mixed=0))
    with mock.patch.object(kind, "simulate", side_effect=kind.simulate) as simulate:
        (cell,) = asker.cells(view, np.random.default_rng(0), partner=False)
    assert simulate.call_count == 1
    assert cell.regions[0].area > 0
    network = model.network.train().requires_grad_(True)
    section = ObjectiveSection(objects=None, points=PointsSection(matching=200, loss=100))
    tables = NameTables(network, [("square",)], [[2]])
    objective = Objective(network, model.preprocess, section, tables, 64)
    batch = Batch((view,), (cell,), (0,), False)
    losses = objective(batch, TrainingStep(0, 1, objective.divisors(batch)))
    torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
    assert any(p.grad is not None and p.grad.any() for p in network.prompts.parameters())


def in_evaluation(photo: Path) -> None:
    (photo.parent / "images").mkdir()
    (photo.parent / "masks").mkdir()
    photo.rename(photo.parent / "images" / photo.name)
    Image.fromarray(square()).save(photo.parent / "masks" / photo.name)
    flags = ("-s", "measures={prompts: {}}", "-o", photo.parent / "report")
    run("eval", "folder", "--data", photo.parent, *flags)
    report = json.loads((photo.parent / "report" / "report.json").read_text())
    (figure,) = [each for each in report["figures"] if each["name"] == f"mIoU {TYPE}"]
    assert 0 <= figure["value"] <= 1
    assert figure["count"] == 1


def in_the_demo(photo: Path) -> None:
    shown = set(prompt_types()) - {TYPE}
    (step,) = simulated_steps(square(), shown, np.random.default_rng(0))
    assert isinstance(step, Step)
    assert (step.title, type(step.prompts[0]).__name__) == (f"{TYPE}, simulated", CLASS)


PLACES: list[Callable[[Path], None]] = [
    in_python,
    in_json,
    on_the_command_line,
    in_the_schema,
    in_the_listing,
    in_the_docs,
    in_training,
    in_evaluation,
    in_the_demo,
]


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_it_appears(place: Callable[[Path], None], photo: Path) -> None:
    place(photo)


def test_it_is_gone_where_it_is_not_installed(photo: Path) -> None:
    assert TYPE not in prompt_types()
    outcome = CliRunner().invoke(cli, ["segment", str(photo), f"--{TYPE}", VALUE], prog_name="seemkit")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"seemkit: there is no flag --{TYPE}")
