"""A whole evaluation on made photos: figures, faults, going on after a kill, and the files that it leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from seemkit.cli.main import cli
from seemkit.errors import SeemkitError
from seemkit.evaluation.config import load_evaluation
from seemkit.evaluation.run import Evaluation, open_datasets
from tests.pairs import write_pairs

COUNT = 4


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of photos of a bright square on dark ground, with their masks."""
    rng = np.random.default_rng(0)
    pairs = []
    for n in range(COUNT):
        photo = rng.integers(0, 60, (60, 80, 3), np.uint8)
        mask = np.zeros((60, 80), np.uint8)
        mask[15:45, 10 + 8 * n : 40 + 8 * n] = 255
        photo[mask > 0] += 150
        pairs.append((photo, mask))
    return write_pairs(tmp_path / "photos", pairs)


def config_for(photos: Path, **more: Any) -> Any:
    return load_evaluation(
        {
            "datasets": {"mine": {"use": "folder", "path": str(photos)}},
            "measures": {"clicks": {"rounds": 2, "shown": [1, 2]}, "prompts": {}},
            **more,
        }
    )


def bright(model: Any) -> Any:
    """A model that always finds everything that is bright."""
    return model(lambda image, prompts: np.asarray(image[..., 0] > 100))


def run(made_up: Any, config: Any, folder: Path | None = None, **more: Any) -> Any:
    model = bright(made_up)
    model.fingerprint = "weights"
    said: list[str] = []
    evaluation = Evaluation(config, open_datasets(config), model, folder, say=said.append, **more)
    return evaluation.run({"command": "here"}), model, said


def test_every_measure_has_its_figures_and_a_picture_is_encoded_once(made_up: Any, photos: Path) -> None:
    report, model, said = run(made_up, config_for(photos))
    values = report.values()
    assert values["mine", "clicks", "mIoU@1"] == 1.0
    assert values["mine", "prompts", "mIoU box"] == 1.0
    assert {f.count for f in report.figures} == {COUNT}
    assert model.encodes == COUNT
    assert said[-1].startswith(f"mine: {COUNT} of {COUNT}")
    assert report.faults == []


def test_what_was_measured_is_not_measured_again(made_up: Any, photos: Path, tmp_path: Path) -> None:
    first, _, _ = run(made_up, config_for(photos, limit=2), tmp_path / "out")
    assert {f.count for f in first.figures} == {2}
    report, model, _ = run(made_up, config_for(photos), tmp_path / "out")
    assert {f.count for f in report.figures} == {COUNT}
    assert model.encodes == COUNT - 2
    _, model, _ = run(made_up, config_for(photos), tmp_path / "out")
    assert model.encodes == 0


def test_what_is_not_asked_for_is_not_counted_though_the_folder_has_it(
    made_up: Any, photos: Path, tmp_path: Path
) -> None:
    Image.new("L", (80, 60)).save(photos / "masks" / "3.png")
    run(made_up, config_for(photos), tmp_path / "out")
    report, model, _ = run(made_up, config_for(photos, limit=2), tmp_path / "out")
    assert {f.count for f in report.figures} == {2}
    assert model.encodes == 0
    assert report.faults == [], "the third picture, in which there is nothing, is not asked for"


def test_a_video_of_more_frames_is_another_evaluation(made_up: Any, photos: Path, tmp_path: Path) -> None:
    video = {"mine": {"use": "folder", "path": str(photos), "video": True}}
    options: dict[str, Any] = {"datasets": video, "measures": {"video": {}}}
    report, _, _ = run(made_up, config_for(photos, limit=3, **options), tmp_path / "out")
    assert {f.count for f in report.figures} == {1}
    with pytest.raises(SeemkitError, match="its limit differs"):
        run(made_up, config_for(photos, **options), tmp_path / "out")
    report, _, _ = run(made_up, config_for(photos, **options), tmp_path / "other")
    assert {f.count for f in report.figures} == {COUNT - 2}


def test_other_options_need_another_folder(made_up: Any, photos: Path, tmp_path: Path) -> None:
    run(made_up, config_for(photos), tmp_path / "out")
    with pytest.raises(SeemkitError, match="its seed differs"):
        run(made_up, config_for(photos, seed=1), tmp_path / "out")
    report, _, _ = run(made_up, config_for(photos, seed=1), tmp_path / "out", restart=True)
    assert {f.seed for f in report.figures} == {1}


def test_pictures_that_cannot_be_read_are_reported_by_file_and_the_rest_counts(
    made_up: Any, photos: Path
) -> None:
    (photos / "images" / "1.png").write_bytes(b"no image")
    (photos / "masks" / "2.png").unlink()
    Image.new("L", (9, 9), 255).save(photos / "masks" / "3.png")
    report, _, _ = run(made_up, config_for(photos))
    assert {f.count for f in report.figures} == {1}
    causes = {fault.key: fault.cause for fault in report.faults}
    assert causes.keys() == {"1", "2", "3"}
    assert "has no mask" in causes["2"]
    with pytest.raises(SeemkitError, match="mine, '1'"):
        run(made_up, config_for(photos, on_fault="stop"))


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("images/1.png", "mine, '1': the mask .* has no image"),
        ("masks/3.png", "mine, '3': the image .* has no mask"),
    ],
)
@pytest.mark.parametrize("video", [False, True])
def test_stop_ends_at_a_file_that_is_missing(
    made_up: Any, photos: Path, lost: str, said: str, video: bool
) -> None:
    (photos / lost).unlink()
    source = {"use": "folder", "path": str(photos), "video": video}
    options: dict[str, Any] = {
        "datasets": {"mine": source},
        "measures": {"video": {}} if video else {"clicks": {}},
    }
    report, _, _ = run(made_up, config_for(photos, **options))
    assert [fault.key for fault in report.faults] == [lost[-5]]
    with pytest.raises(SeemkitError, match=said):
        run(made_up, config_for(photos, on_fault="stop", **options))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"category_id": 9}, "mine, '0.png#8': 0.png, annotation 8: its category 9 is not listed"),
        ({"image_id": 7}, "is of the image 7, which is not listed"),
        (
            {"segmentation": [[90, 70, 95, 70, 95, 75]]},  # beside the picture
            "mine, '0.png#coco-8': the mask of its object coco-8 is empty",
        ),
    ],
)
def test_stop_ends_at_an_annotation_that_is_broken(
    made_up: Any, photos: Path, tmp_path: Path, broken: dict[str, Any], said: str
) -> None:
    square = {"id": 7, "image_id": 1, "category_id": 1, "segmentation": [[10, 15, 40, 15, 40, 45, 10, 45]]}
    image = {"id": 1, "file_name": "0.png", "height": 60, "width": 80}
    annotations = [square, {**square, "id": 8, **broken}]
    data = {"images": [image], "annotations": annotations, "categories": [{"id": 1, "name": "square"}]}
    (photos / "mine.json").write_text(json.dumps(data))
    options: dict[str, Any] = {
        "datasets": {"mine": {"use": "coco", "path": str(photos)}},
        "measures": {"clicks": {}},
    }
    for _ in range(2):  # the second time nothing is measured anew
        report, _, _ = run(made_up, config_for(photos, **options), tmp_path / "out")
        assert {f.count for f in report.figures} == {1}
        assert [said in f"mine, {fault.key!r}: {fault.cause}" for fault in report.faults] == [True]
    with pytest.raises(SeemkitError, match=said):
        run(made_up, config_for(photos, on_fault="stop", **options))


@pytest.mark.parametrize("part", [{"keys": "1.png"}, {"hundredths": [0, 50]}])
@pytest.mark.parametrize("videos", [False, True])
def test_what_is_wrong_with_an_index_is_said_of_a_part_of_it_and_stops(
    made_up: Any, photos: Path, tmp_path: Path, part: dict[str, Any], videos: bool
) -> None:
    square = {"category_id": 1, "segmentation": [[10, 15, 60, 15, 60, 45, 10, 45]]}
    images = [{"id": n, "file_name": f"{n}.png", "height": 60, "width": 80} for n in range(COUNT)]
    annotations = [{**square, "id": n, "image_id": n} for n in (*range(COUNT), 77)]
    data = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "square"}]}
    (photos / "mine.json").write_text(json.dumps(data))
    if "keys" in part:
        (tmp_path / "keys.txt").write_text(part["keys"])
        part = {"keys": str(tmp_path / "keys.txt")}
    options: dict[str, Any] = {
        "datasets": {"mine": {"use": "coco", "path": str(photos), **part}},
        "measures": {"video": {}} if videos else {"clicks": {}},
    }
    report, _, _ = run(made_up, config_for(photos, **options))
    said = "an annotation of mine.json is of the image 77, which is not listed"
    assert [fault.cause for fault in report.faults if not fault.measure] == [said]
    with pytest.raises(SeemkitError, match=said):
        run(made_up, config_for(photos, on_fault="stop", **options))


def test_a_measure_that_fails_on_a_picture_is_reported_and_the_others_count(
    made_up: Any, photos: Path
) -> None:
    def fussy(image: np.ndarray, prompts: Any) -> np.ndarray:
        if prompts[0].type_name() == "box" and image[20, 12, 0] > 100:
            raise SeemkitError("no box here")
        return np.asarray(image[..., 0] > 100)

    model = made_up(fussy)
    model.fingerprint = "w"
    config = config_for(photos)
    report = Evaluation(config, open_datasets(config), model, say=lambda _: None).run()
    assert [(f.measure, f.key, f.cause) for f in report.faults] == [("prompts", "0", "no box here")]
    assert report.values()["mine", "clicks", "mIoU@1"] == 1.0
    assert {f.count for f in report.figures if f.measure == "prompts"} == {COUNT - 1}


def test_a_measure_that_the_data_cannot_have_is_said(made_up: Any, photos: Path) -> None:
    measures = {"prompts": {}, "panoptic": {}}
    report, _, _ = run(made_up, config_for(photos, measures=measures))
    assert [(f.measure, f.cause, f.applies) for f in report.faults] == [
        ("panoptic", "the data set lacks panoptic annotations with names of classes", False)
    ]
    with pytest.raises(SeemkitError, match="nothing can be measured on it: 'panoptic' needs"):
        run(made_up, config_for(photos, measures={"panoptic": {}}))


def test_worst_cases_are_kept(made_up: Any, photos: Path, tmp_path: Path) -> None:
    run(made_up, config_for(photos, worst=2), tmp_path / "out")
    folder = tmp_path / "out" / "worst"
    assert sorted(path.name for path in folder.iterdir()) == ["mine-clicks", "mine-prompts"]
    assert len(list((folder / "mine-clicks").glob("*.png"))) == 2
    named = {"all, mine": {"use": "folder", "path": str(photos)}}
    run(made_up, config_for(photos, datasets=named, measures={"clicks": {"rounds": 1}}), tmp_path / "named")
    (folder,) = (tmp_path / "named" / "worst").iterdir()
    assert folder.name.startswith("all_mine-clicks-")


def test_frames_of_a_folder_are_a_video(made_up: Any, photos: Path) -> None:
    video = {"mine": {"use": "folder", "path": str(photos), "video": True}}
    report, _, said = run(made_up, config_for(photos, datasets=video, measures={"video": {}}))
    assert report.values()["mine", "video", "J&F, with memory"] == 1.0
    assert {f.count for f in report.figures} == {COUNT - 2}
    assert said[-1].startswith("mine: 1 of 1")


@pytest.mark.parametrize(("last", "limit", "said"), [(False, 2, "three"), (True, 1, "two")])
def test_a_video_that_is_too_short_is_told_how_many_frames_it_needs(
    made_up: Any, photos: Path, last: bool, limit: int, said: str
) -> None:
    video = {"mine": {"use": "folder", "path": str(photos), "video": True}}
    measures = {"video": {"last": last}}
    report, _, _ = run(made_up, config_for(photos, datasets=video, measures=measures, limit=limit))
    (fault,) = report.faults
    assert not fault.applies
    assert fault.cause.startswith(
        f"nothing to measure in 1 of 1: a video needs {said} frames, of which the first"
    )


def test_a_fixed_part_of_the_pictures(made_up: Any, photos: Path) -> None:
    from seemkit.data.hundredth import hundredth

    kept = [str(n) for n in range(COUNT) if hundredth(str(n)) < 50]
    source = {"use": "folder", "path": str(photos), "hundredths": [0, 50]}
    report, _, _ = run(made_up, config_for(photos, datasets={"mine": source}))
    assert 0 < len(kept) < COUNT
    assert {f.count for f in report.figures} == {len(kept)}


def test_pictures_with_nothing_to_measure_are_counted(made_up: Any, photos: Path) -> None:
    Image.new("L", (80, 60)).save(photos / "masks" / "3.png")
    report, _, _ = run(made_up, config_for(photos))
    assert {f.count for f in report.figures} == {COUNT - 1}
    assert {(f.measure, f.key, f.cause) for f in report.faults} == {
        ("", "3", "the mask holds no object: its levels are 0, expected some above 192"),
        *((name, "", f"nothing to measure in 1 of {COUNT}") for name in ("clicks", "prompts")),
    }


@pytest.mark.skipif(os.name == "nt", reason="signals are sent in another way there")
def test_a_killed_evaluation_goes_on_to_the_same_figures(photos: Path, tmp_path: Path) -> None:
    def words(out: str) -> list[str]:
        return ["eval", "folder", "--data", str(photos), "-o", str(tmp_path / out), "--threads", "1"]

    def finish(out: str) -> Any:
        outcome = CliRunner().invoke(cli, words(out), prog_name="seemkit")
        assert outcome.exit_code == 0, outcome.stderr
        figures = json.loads((tmp_path / out / "report.json").read_text())["figures"]
        return [{name: value for name, value in figure.items() if name != "run"} for figure in figures]

    records = tmp_path / "killed" / "records.jsonl"
    command = [sys.executable, "-m", "seemkit.cli.main", *words("killed")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        give_up = time.monotonic() + 120
        while not (records.is_file() and records.stat().st_size) and time.monotonic() < give_up:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert 0 < len(records.read_bytes().splitlines()) < 2 * COUNT
    assert finish("killed") == finish("whole")


def test_a_file_may_name_the_pictures(made_up: Any, photos: Path, tmp_path: Path) -> None:
    keys = tmp_path / "val.txt"
    keys.write_text("2\n0\n\n2\n")
    source = {"use": "folder", "path": str(photos), "keys": str(keys)}
    report, model, _ = run(made_up, config_for(photos, datasets={"mine": source}))
    assert ({f.count for f in report.figures}, model.encodes) == ({2}, 2)
    keys.write_text("2\nnone\n")
    with pytest.raises(SeemkitError, match=r"datasets\.mine: photos has no sample 'none'"):
        open_datasets(config_for(photos, datasets={"mine": source}))
    with pytest.raises(SeemkitError, match=r"datasets\.mine: the keys .* cannot be read"):
        open_datasets(config_for(photos, datasets={"mine": {**source, "keys": str(tmp_path / "no")}}))


def test_phrases_of_a_refcoco_file_are_measured(made_up: Any, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "refs"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "0.png").write_bytes((photos / "images" / "0.png").read_bytes())
    square = [10, 15, 40, 15, 40, 45, 10, 45]
    annotation = {
        "id": 7, "image_id": 1, "category_id": 1, "bbox": [10, 15, 30, 30], "segmentation": [square],
        "sentences": [{"raw": "The bright square"}, {"raw": "a light box"}],
    }  # fmt: skip
    image = {"id": 1, "file_name": "0.png", "height": 60, "width": 80}
    data = {"images": [image], "annotations": [annotation], "categories": [{"id": 1, "name": "square"}]}
    (folder / "refs.json").write_text(json.dumps(data))
    report, model, _ = run(made_up, load_evaluation("phrases", {"data": str(folder)}))
    assert report.values()["phrases", "text", "cIoU"] == 1.0
    assert [p.text for p in model.asked[0]] == ["the bright square"]
    assert report.figures[0].protocol.startswith("first phrase of each object")
