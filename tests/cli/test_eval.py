"""`seemkit eval`: the command line around an evaluation."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import seemkit.cli.eval


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    photo = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    mask = np.zeros((48, 64), np.uint8)
    mask[10:40, 10:50] = 255
    Image.fromarray(photo).save(folder / "images" / "one.png")
    Image.fromarray(mask).save(folder / "masks" / "one.png")
    return folder


def test_a_report_is_printed_and_written(run, photos, tmp_path):
    out = tmp_path / "out"
    done = run("eval", "folder", "--data", photos, "-o", out, "-s", "measures.clicks.rounds=2")
    assert done.code == 0
    assert "| mine | clicks | mIoU@1 |" in done.out
    report = json.loads((out / "report.json").read_text())
    run = report["figures"][0]["run"]
    assert run.keys() == {"evaluation", "command", "assembly", "weights", "code", "machine", "date"}
    assert run["assembly"] == "nano"
    assert len(run["weights"]) == 64
    assert (out / "report.md").read_text() in done.out
    assert (out / "curve-mine-clicks.png").is_file()
    assert list((out / "worst" / "mine-clicks").iterdir())
    assert f"wrote {out / 'worst'}\n" in done.err


def test_a_short_flag_is_an_override(run, photos):
    done = run("eval", "folder", "--data", photos, "--weights", "none", "--limit", "1", "-s", "seed=3")
    assert done.code == 0
    assert "| 1 | 3 |" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["grabcutt"], "no evaluation is named 'grabcutt', and it is no .yaml file; did you mean 'grabcut'?"),
        (["folder", "--data", "nowhere"], "datasets.mine: there is no folder 'nowhere/masks'"),
        (["folder", "--data", "x", "-s", "measures.clicks.round=3"], "did you mean 'rounds'?"),
        (["folder", "--data", "x", "-s", "seed"], "is not of the form PATH=VALUE"),
        (["folder", "--data", "x", "--limit", "0"], "limit: got 0"),
        (["folder", "--data", "x", "--restart"], "give the folder with -o DIR"),
        (["folder", "--datta", "x"], "did you mean --data?"),
        (["none.yaml"], "there is no such file"),
    ],
)
def test_a_wrong_request_is_one_sentence(run, words, said):
    done = run("eval", *words)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_the_folder_of_the_data_may_come_from_the_environment(run, photos, monkeypatch):
    monkeypatch.delenv("SEEMKIT_DATA", raising=False)
    assert "--data DIR" in run("eval", "folder").err
    monkeypatch.setenv("SEEMKIT_DATA", str(photos))
    assert run("eval", "folder", "-s", "measures.clicks.rounds=1").code == 0


def test_an_assembly_that_is_not_there_is_refused_before_anything_runs(run, photos):
    done = run("eval", "folder", "--data", photos, "-m", "nanoo")
    assert (done.code, "did you mean 'nano'?" in done.err) == (2, True)


def test_a_log_hears_how_far_it_is(run, photos, monkeypatch):
    monkeypatch.setattr(seemkit.cli.eval, "PERIOD", 0.0)
    done = run("eval", "folder", "--data", photos, "-s", "measures.clicks.rounds=1")
    assert "mine: 1 of 1\n" in done.err


@pytest.mark.parametrize("name", ["checkpoint.pt", "assembly.yaml"])
def test_a_folder_of_a_training_run_is_refused(run, photos, tmp_path, name):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).touch()
    done = run("eval", "folder", "--data", photos, "-o", tmp_path / "run", "--restart")
    assert done.code == 2
    assert f"is the folder of a training run, for it has a {name}; give another one, such as" in done.err
    assert done.err.count("\n") == 1
    assert [path.name for path in (tmp_path / "run").iterdir()] == [name]
