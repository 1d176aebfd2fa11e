"""Exporters: what they write is read back by the readers of the formats, and holds the same masks."""

import base64
import contextlib
import io
import json

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pycocotools.coco import COCO

from seemkit import api
from seemkit.geometry.grid import Grid
from seemkit.geometry.raster import draw_polygon
from seemkit.results.polygons import mask_to_rings
from seemkit_extras.joined_outline import join_rings, parts_of


def read_coco(path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it is doing
        return COCO(str(path))


def iou(one, other) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_pycocotools_reads_the_masks_and_categories_back(result, tmp_path):
    written = result.export("coco", tmp_path / "a.json", photo="a.jpg", image_id=7)
    assert written == [tmp_path / "a.json"]
    coco = read_coco(tmp_path / "a.json")
    assert coco.loadImgs(7)[0] == {"id": 7, "file_name": "a.jpg", "width": 40, "height": 30}
    found = coco.loadAnns(coco.getAnnIds(imgIds=7))
    assert [coco.loadCats(a["category_id"])[0]["name"] for a in found] == ["cat", "cat", "object"]
    for annotation, mask in zip(found, result.masks, strict=True):
        assert (coco.annToMask(annotation).astype(bool) == mask).all()
        assert annotation["area"] == mask.sum()


def test_coco_polygons_are_read_back_without_holes(result, tmp_path):
    result.export("coco", tmp_path / "a.json", polygons=True)
    coco = read_coco(tmp_path / "a.json")
    whole = result.masks[0].copy()
    whole[8:12, 6:10] = True
    for annotation, mask in zip(coco.loadAnns(coco.getAnnIds()), [whole, *result.masks[1:]], strict=True):
        assert iou(coco.annToMask(annotation).astype(bool), mask) > 0.8  # COCO draws polygons in its own way


def test_an_evaluation_of_coco_takes_the_export_as_truth(result, tmp_path):
    from pycocotools.cocoeval import COCOeval

    result.export("coco", tmp_path / "a.json")
    truth = read_coco(tmp_path / "a.json")
    with contextlib.redirect_stdout(io.StringIO()):
        found = truth.loadRes(result.to_coco())
        run = COCOeval(truth, found, "segm")
        run.evaluate()
        run.accumulate()
        run.summarize()
    assert run.stats[0] == pytest.approx(1)  # average precision of the masks against themselves


def labelme_mask(shape, size) -> np.ndarray:
    """As `labelme.utils.shape_to_mask` does: Pillow's polygon, or the mask pasted where its corners are."""
    if shape["shape_type"] == "mask":
        (x1, y1), (x2, y2) = shape["points"]
        mask = np.zeros(size, bool)
        packed = Image.open(io.BytesIO(base64.b64decode(shape["mask"])))
        mask[int(y1) : int(y2) + 1, int(x1) : int(x2) + 1] = np.asarray(packed).astype(bool)
        return mask
    canvas = Image.new("L", size[::-1])
    ImageDraw.Draw(canvas).polygon([tuple(p) for p in shape["points"]], outline=1, fill=1)
    return np.asarray(canvas, bool)


def test_labelme_polygons_are_parts_that_share_a_group(result, tmp_path):
    result.export("labelme", tmp_path / "a.json", photo="a.jpg")
    found = json.loads((tmp_path / "a.json").read_text())
    assert (found["imagePath"], found["imageHeight"], found["imageWidth"]) == ("a.jpg", 30, 40)
    assert [(s["label"], s["group_id"]) for s in found["shapes"]] == [
        ("cat", 1), ("cat", 1), ("cat", None), ("3", None),
    ]  # fmt: skip
    first = labelme_mask(found["shapes"][0], (30, 40)) | labelme_mask(found["shapes"][1], (30, 40))
    assert iou(first, result.masks[0]) > 0.8  # Pillow draws the outline too, half a pixel outside
    assert not first[9:11, 7:9].any()  # the hole is one


def test_labelme_masks_are_the_very_masks(result, tmp_path):
    result.export("labelme", tmp_path / "a.json", shapes="mask")
    for shape, mask in zip(
        json.loads((tmp_path / "a.json").read_text())["shapes"], result.masks, strict=True
    ):
        assert (labelme_mask(shape, (30, 40)) == mask).all()


def test_yolo_lines_are_a_class_and_a_polygon_that_fills_to_the_mask(result, tmp_path):
    written = result.export("yolo", tmp_path / "a.txt", simplify=0)
    assert written == [tmp_path / "a.txt", tmp_path / "classes.txt"]
    assert (tmp_path / "classes.txt").read_text().splitlines() == ["dog", "cat", "object"]
    lines = [line.split() for line in (tmp_path / "a.txt").read_text().splitlines()]
    assert [line[0] for line in lines] == ["1", "1", "2"]
    for line, mask in zip(lines, result.masks, strict=True):
        corners = np.array(line[1:], float).reshape(-1, 2)
        assert ((corners >= 0) & (corners <= 1)).all()
        assert (draw_polygon((corners * [40, 30]).round(3).tolist(), Grid(30, 40)) == mask).all()


def test_yolo_leaves_the_names_out_if_asked(result, tmp_path):
    assert result.export("yolo", tmp_path / "a.txt", classes=False) == [tmp_path / "a.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    with pytest.raises(api.SeemkitError, match="is where the names go"):
        result.export("yolo", tmp_path / "classes.txt")
    assert not (tmp_path / "classes.txt").exists()


@pytest.mark.parametrize("seed", range(20))
def test_joined_rings_fill_by_the_even_odd_rule_to_the_same_mask(seed):
    noise = np.random.default_rng(seed).random((12, 16))
    mask = noise > 0.45  # many parts and holes, one within another
    rings = mask_to_rings(mask)
    assert (draw_polygon(join_rings(rings), Grid(12, 16)) == mask).all()
    parts = parts_of(rings)
    assert sum(len(part) for part in parts) == len(rings)
    drawn = [draw_polygon(join_rings(part), Grid(12, 16)) for part in parts]
    assert (np.sum(drawn, axis=0) == mask).all()  # and no pixel is in two parts


def test_an_indexed_png_has_the_better_mask_on_top_and_a_legend(result, tmp_path):
    result.export("indexed", tmp_path / "a.png", photo="a.jpg")
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        assert image.getpalette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]  # VOClabelcolormap
        legend = json.loads(image.text["seemkit"])
        numbers = np.asarray(image)
    assert legend == {"photo": "a.jpg", "numbers": {"1": "cat", "2": "cat", "3": "3"}}
    assert (numbers[result.masks[0]] == 1).all()
    assert (numbers[result.masks[1] & ~result.masks[0]] == 2).all()
    assert (numbers[~result.masks.any(0)] == 0).all()


@pytest.mark.parametrize(
    ("number", "values", "legend"),
    [
        ("object", [0, 1, 2, 3], {"1": "left", "2": "right", "3": "3"}),
        ("mask", [0, 1, 2, 3], {"1": "cat", "2": "cat", "3": "3"}),
    ],
)
def test_what_is_numbered_can_be_chosen(result, tmp_path, number, values, legend):
    result.export("indexed", tmp_path / "a.png", number=number)
    with Image.open(tmp_path / "a.png") as image:
        assert np.unique(np.asarray(image)).tolist() == values
        assert json.loads(image.text["seemkit"])["numbers"] == legend


def test_classes_need_labels_and_maps_of_tasks_are_taken_as_they_are(result, tmp_path):
    with pytest.raises(api.SeemkitError, match="the mask of object '3' has no label"):
        result.export("indexed", tmp_path / "a.png", number="class")
    semantic = np.where(result.masks[0], 1, -1)
    of_task = api.Result(result.masks[:0], np.zeros(0), vocabulary=("dog", "cat"), semantic=semantic)
    of_task.export("indexed", tmp_path / "a.png")
    assert np.unique(api.read_labels(tmp_path / "a.png")).tolist() == [0, 2]
    ids = np.where(result.masks[1], 300, 0)
    segments = (ids, ({"id": 300, "label": "cat", "score": 1.0, "thing": True, "area": 1},))
    from seemkit.result import Segments

    panoptic = api.Result(result.masks[:0], np.zeros(0), segments=Segments(*segments))
    panoptic.export("indexed", tmp_path / "a.png")
    assert (api.read_labels(tmp_path / "a.png") == ids).all()


def test_an_indexed_png_is_read_by_the_folder_data_set(result, tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    Image.fromarray(result.image).save(tmp_path / "images/a.png")
    result.export("indexed", tmp_path / "masks/a.png")
    found = api.open_dataset({"use": "folder", "path": str(tmp_path), "masks": "ids"})
    (sample,) = found.loaded()
    assert (sample.objects[0].mask == result.masks[0]).all()


@pytest.mark.parametrize("form", ["coco", "labelme", "yolo", "indexed"])
def test_a_result_without_masks_is_a_file_without_masks(form, tmp_path):
    empty = api.Result(np.zeros((0, 5, 6), bool), np.zeros(0))
    suffix = {"yolo": "txt", "indexed": "png"}.get(form, "json")
    (path, *_) = empty.export(form, tmp_path / f"a.{suffix}")
    if form == "coco":
        assert read_coco(path).anns == {}
    elif form == "labelme":
        assert json.loads(path.read_text())["shapes"] == []
    elif form == "yolo":
        assert path.read_text() == ""
    else:
        assert not api.read_labels(path).any()


def test_an_overlay_is_the_photo_with_masks_on_it_by_its_options(result, tmp_path):
    for name, options in (("a.png", {}), ("b.png", {"alpha": 0, "labels": False, "outline": False})):
        assert result.export("overlay", tmp_path / name, **options) == [tmp_path / name]
    drawn, plain = (np.asarray(Image.open(tmp_path / name).convert("RGB")) for name in ("a.png", "b.png"))
    assert (plain == result.image).all()
    assert (drawn[result.masks[1]] != result.image[result.masks[1]]).any(-1).mean() > 0.9
    result.export("overlay", tmp_path / "c.webp", quality=10)
    assert Image.open(tmp_path / "c.webp").size == (40, 30)


@pytest.mark.parametrize("form", ["coco", "labelme", "yolo", "indexed"])
def test_an_empty_mask_is_no_error(form, result, tmp_path):
    blank = api.Result(np.zeros((1, 5, 6), bool), np.zeros(1), labels=((("cat", 1.0),),), vocabulary=("cat",))
    suffix = {"yolo": "txt", "indexed": "png"}.get(form, "json")
    assert blank.export(form, tmp_path / f"a.{suffix}")
