"""`seemkit train`: from a folder to a model that segments, and one sentence for whatever is wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

Run = Callable[..., Any]
QUICK = ("-s", "data.size=64", "-s", "run.steps=2", "-s", "run.batch=2", "-s", "run.workers=0", "-s", "run.pictures=0",
         "-s", "run.tensorboard=false", "-s", "run.device=cpu", "-s", "data.hold_out=0.3")  # fmt: skip
TINY = Path(__file__).with_name("tiny.yaml")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ten photos of a bright rectangle in COCO's format."""
    folder = tmp_path / "mine"
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(10):
        x, y = 5 + 3 * number, 10 + number
        pixels = np.full((60, 80, 3), 60, np.uint8)
        pixels[y : y + 25, x : x + 30] = 220
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "height": 60, "width": 80})
        corners = [[x, y, x + 30, y, x + 30, y + 25, x, y + 25]]
        annotations.append({"id": number, "image_id": number, "category_id": 1, "segmentation": corners})
    categories = [{"id": 1, "name": "light"}]
    text = json.dumps({"images": images, "annotations": annotations, "categories": categories})
    (folder / "mine.json").write_text(text)
    return folder


def test_a_folder_becomes_a_model_that_segments(run: Run, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = run("train", "--data", data, "--from", TINY, "-s", "model.weights=none", "-o", out, *QUICK)
    assert ended.code == 0, ended.err
    assert "started untrained" in ended.out, "all of it is random"
    assert "held out IoU@1, RITM clicks on the canvas" in ended.out
    assert f"seemkit segment PHOTO -m {out / 'assembly.yaml'}" in ended.out
    assembly = yaml.safe_load((out / "assembly.yaml").read_text())
    assert assembly["weights"]["file"] == "weights.safetensors"
    assert assembly["vocabulary"] == ["light"]
    photo = data / "images" / "3.png"
    asked = run(
        "segment", photo, "--point", "30,30", "-m", out / "assembly.yaml", "--json", tmp_path / "r.json"
    )
    assert asked.code == 0, asked.err
    again = run("train", "--data", data, "--from", out, "-o", tmp_path / "more", *QUICK)
    assert again.code == 0, again.err
    assert "started untrained" not in again.out


def test_json_says_it_all(run: Run, data: Path, tmp_path: Path) -> None:
    (data / "images" / "4.png").unlink()  # whether it is trained on or held out
    ended = run(
        "train", "--data", data, "--from", TINY, "-s", "model.weights=none", "-o", tmp_path / "out", "--json", *QUICK,
        "-s", "run.steps=6",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    said = ended.json()
    assert said["steps"] == 6
    assert said["started_untrained"] == ["pixel_decoder", "decoder", "heads", "prompts", "text_encoder"]
    assert said["protocol"] == "RITM clicks on the canvas"
    assert set(said["after"]) == {"IoU@1", "IoU@2", "IoU@3"}
    assert [fault["key"] for fault in said["faults"]] == ["4.png"]


def test_one_fault_is_one(run: Run, data: Path, tmp_path: Path) -> None:
    (data / "images" / "4.png").unlink()
    args = ("--data", data, "--from", TINY, "-s", "model.weights=none", "-o", tmp_path / "out", *QUICK)
    ended = run("train", *args, "-s", "run.steps=6")
    assert ended.code == 0, ended.err
    assert " 1 fault of the data, in" in ended.out


@pytest.mark.parametrize(
    ("switch", "why"),
    [
        ("objective.memory=false", "prompts.memory (objective.memory is false)"),
        ("objective.clicks.rounds=0", "prompts.memory (objective.clicks.rounds is 0, so that there is no memory)"),
        ("run.seed=3", "prompts.memory (nothing that was drawn in 1 step told of it)"),
    ],
)  # fmt: skip
def test_what_was_not_taught_is_said_with_why(
    run: Run, data: Path, tmp_path: Path, switch: str, why: str
) -> None:
    """With the last seed the one step draws 0 rounds of correction: default_rng([seed, 4, 0]).integers(4)."""
    args = ("--data", data, "--from", TINY, "-s", "model.weights=none", "-o", tmp_path / "out", *QUICK)
    ended = run("train", *args, "-s", "run.steps=1", "-s", switch)
    assert ended.code == 0, ended.err
    assert "not taught " in ended.out
    assert why in ended.out
    assert "the data say nothing" not in ended.out


def test_check_reads_everything_and_trains_nothing(run: Run, data: Path, tmp_path: Path) -> None:
    assert run("train", "--data", data, "--check").code == 0
    (data / "images" / "4.png").write_bytes(b"no image")
    text = json.loads((data / "mine.json").read_text())
    text["annotations"][2]["segmentation"] = [[1, 2, 3, 4]]
    text["annotations"][5]["category_id"] = 9
    (data / "mine.json").write_text(json.dumps(text))
    ended = run("train", "--data", data, "--check", "--json")
    assert ended.code == 2
    faults = {fault["key"]: fault["cause"] for fault in ended.json()["faults"]}
    assert set(faults) == {"4.png", "2.png#2", "5.png#5"}
    assert "its polygon 0 is broken" in faults["2.png#2"]
    assert "its category 9 is not listed" in faults["5.png#5"]
    assert (ended.json()["pictures"], ended.json()["usable"]) == (10, 7)
    assert "10, 7 of them usable" in run("train", "--data", data, "--check").out
    assert not (tmp_path / "runs").exists()


def test_check_names_the_data_set_of_each_fault_of_a_mixture(run: Run, data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(data, other)
    (other / "images" / "4.png").unlink()
    sources = f"data.sources=[{{use: coco, path: {data}}}, {{use: coco, path: {other}}}]"
    ended = run("train", "--check", "-s", sources)
    assert ended.code == 2
    assert "20, 19 of them usable" in ended.out
    assert "other/mine.json: 4.png" in ended.out


def test_stop_ends_at_the_first_fault(run: Run, data: Path, tmp_path: Path) -> None:
    for number in range(10):
        (data / "images" / f"{number}.png").unlink()
    ended = run(
        "train", "--data", data, "--from", TINY, "-s", "model.weights=none", "-o", tmp_path / "out", *QUICK,
        "-s", "data.on_error=stop",
    )  # fmt: skip
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "is not in" in ended.err


def test_the_whole_recipe_can_be_printed(run: Run) -> None:
    ended = run("train", "nano-words", "--print", "-s", "run.steps=5")
    assert ended.code == 0
    found = yaml.safe_load(ended.out)
    assert found["run"]["steps"] == 5
    assert found["objective"]["labels"]["weight"] == 1.0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "neither a recipe nor data was given; try 'seemkit train --data DIR'"),
        (("fine-tun",), "did you mean 'fine-tune'?"),
        (("fine-tune",), "the recipe 'fine-tune' has no data; give --data DIR"),
        (("--data", "/away"), "there is no data '/away'"),
        (("fine-tune", "-s", "run.step=3"), "run.step: there is no field 'step'; did you mean 'steps'?"),
        (("fine-tune", "-s", "objective.prompts.pont=3", "--data", "DATA"), "did you mean 'point'?"),
        (("--data", "DATA", "--from", "nan"), "did you mean 'nano'?"),
        (
            ("--data", "DATA", "-s", "run.batch=3", "-s", "run.accumulate=2"),
            "does not split into 1 process times 2 parts",
        ),
        (("--data", "DATA", "-s", "optimiser.rates.backbone=0"), "no parameter begins so"),
    ],
)
def test_a_wrong_request_is_one_sentence(
    run: Run, data: Path, tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    given = [str(data) if arg == "DATA" else arg for arg in args]
    ended = run("train", *given, "-o", tmp_path / "out", "-s", "run.device=cpu")
    assert ended.code == 2, ended.err
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("name", ["assembly.yaml", "weights.safetensors"])
def test_a_model_without_a_checkpoint_is_replaced_by_restart_alone(
    run: Run, data: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("precious")
    asked = (
        "train",
        "--data",
        data,
        "--from",
        TINY,
        "-s",
        "model.weights=none",
        "-o",
        out,
        *QUICK,
        "-s",
        "run.steps=1",
    )
    ended = run(*asked)
    assert ended.code == 2
    assert ended.err == (
        f"seemkit: -o {str(out)!r} has a {name} and no checkpoint to go on from; give another folder with -o, or "
        "--restart to replace it\n"
    )
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [(name, "precious")]
    assert run(*asked, "--restart").code == 0
    assert (out / name).read_bytes() != b"precious"
    assert run(*asked).code == 0, "it has a checkpoint now"


def test_a_run_is_not_written_into_its_data_or_at_a_file(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out, said in (
        (data, f"-o {str(data)!r} is the data of data.sources[0]; give another folder for the run"),
        (data / ".." / data.name, "is the data of data.sources[0]"),
        (tmp_path / "file", f"{str(tmp_path / 'file')!r} is a file; give a folder for the run"),
        (tmp_path / "file" / "run", f"{str(tmp_path / 'file')!r} is a file; give a folder for the run"),
    ):
        ended = run("train", "--data", data, "--from", TINY, "-o", out, "--restart", *QUICK)
        assert ended.code == 2, ended.err
        assert said in ended.err
        assert ended.err.count("\n") == 1
    assert sorted(path.name for path in data.iterdir()) == ["images", "mine.json"]
