"""The result as a value and in the forms it is handed on in."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco
from pycocotools.coco import COCO

from seemkit.errors import ImageError
from seemkit.geometry.grid import Grid
from seemkit.geometry.raster import draw_polygon
from seemkit.prompting.arrays import decode_rle
from seemkit.result import Result, Segments

stacks = st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(1, 9)).flatmap(lambda s: arrays(bool, s))


def simple(masks: np.ndarray, **fields: object) -> Result:
    return Result(masks=masks, scores=np.linspace(0.9, 0.5, len(masks)), **fields)  # type: ignore[arg-type]


@pytest.fixture
def result() -> Result:
    masks = np.zeros((2, 6, 8), bool)
    masks[0, 1:4, 2:7] = True
    masks[1, 5, 0] = True
    return Result(
        masks=masks,
        scores=np.array([0.9, 0.25]),
        objects=("dog", "2"),
        labels=((("dog", 0.75), ("cat", 0.25)), ()),
        selection=np.array([1.0, 0.5]),
        shares=({"region": -0.5, "text": -np.inf}, {}),
        logits=np.zeros((2, 2, 2)),
        image=np.full((6, 8, 3), 128, np.uint8),
        vocabulary=("cat", "dog"),
    )


def test_fields_take_their_types_and_default_to_one_object_a_mask(result: Result) -> None:
    assert len(result) == 2
    assert result.size == (6, 8)
    assert result.scores.dtype == np.float32
    assert result.logits is not None
    assert result.logits.dtype == np.float32
    assert result.names == ("dog", None)
    bare = simple(np.zeros((3, 4, 5), bool))
    assert bare.objects == ("1", "2", "3")
    assert bare.labels == ((), (), ())
    assert bare.shares == ({}, {}, {})


def test_arrays_are_read_only_and_those_handed_in_stay_writable() -> None:
    masks = np.zeros((1, 2, 2), bool)
    result = simple(masks)
    with pytest.raises(ValueError, match="read-only"):
        result.masks[0, 0, 0] = True
    masks[0, 0, 0] = True


def test_it_pickles(result: Result) -> None:
    again = pickle.loads(pickle.dumps(result))  # noqa: S301 - our own bytes
    assert json.dumps(again.to_dict()) == json.dumps(result.to_dict())
    np.testing.assert_array_equal(again.masks, result.masks)


def test_the_representation_is_one_short_line(result: Result) -> None:
    assert repr(result) == "<Result segment, 2 masks of 6 x 8: 'dog' dog 0.90, '2' 0.25>"
    assert repr(simple(np.zeros((0, 6, 8), bool), task="semantic")) == "<Result semantic, 0 masks of 6 x 8>"
    assert len(repr(simple(np.zeros((50, 6, 8), bool)))) < 120


def test_parts_that_do_not_fit_are_a_bug_of_the_caller() -> None:
    masks = np.zeros((2, 4, 5), bool)
    with pytest.raises(TypeError, match=r"not float64 of shape \(2, 4, 5\)"):
        Result(masks=np.zeros((2, 4, 5)), scores=np.zeros(2))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="2 masks, but 1 scores"):
        Result(masks=masks, scores=np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="2 masks, but 3 objects"):
        simple(masks, objects=("a", "b", "c"))
    with pytest.raises(ValueError, match=r"image of \(4, 6\)"):
        simple(masks, image=np.zeros((4, 6, 3), np.uint8))


def test_coco_annotations_of_known_masks(result: Result) -> None:
    dog, dot = result.to_coco(image_id=7)
    assert dog["bbox"] == [2, 1, 5, 3]
    assert dog["area"] == 15
    assert (dog["category_name"], dog["category_id"], dog["object"]) == ("dog", 2, "dog")
    assert (dog["id"], dog["image_id"], dog["iscrowd"]) == (1, 7, 0)
    assert dog["score"] == pytest.approx(0.9)
    assert (dot["category_name"], dot["category_id"], dot["bbox"]) == (None, 0, [0, 5, 1, 1])


@settings(max_examples=100, deadline=None)
@given(stacks)
def test_run_lengths_give_back_the_masks_and_pycocotools_agrees_on_box_and_area(masks: np.ndarray) -> None:
    annotations = json.loads(json.dumps(simple(masks).to_coco()))
    for mask, annotation in zip(masks, annotations, strict=True):
        np.testing.assert_array_equal(coco.decode(annotation["segmentation"]), mask)
        np.testing.assert_array_equal(decode_rle(annotation["segmentation"]), mask)
        assert annotation["area"] == coco.area(annotation["segmentation"])
        if mask.any():
            assert annotation["bbox"] == list(coco.toBbox(annotation["segmentation"]))


def test_pycocotools_loads_the_annotations_as_results(result: Result) -> None:
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": 1, "height": 6, "width": 8}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [],
    }
    truth.createIndex()
    loaded = truth.loadRes(json.loads(json.dumps(result.to_coco())))
    np.testing.assert_array_equal(loaded.annToMask(loaded.anns[1]), result.masks[0])


@settings(max_examples=60, deadline=None)
@given(stacks)
def test_polygons_of_every_mask_draw_it_again(masks: np.ndarray) -> None:
    polygons = simple(masks).to_polygons()
    json.dumps(polygons)
    for mask, rings in zip(masks, polygons, strict=True):
        drawn = np.zeros(mask.shape, bool)
        for ring in rings:
            drawn ^= draw_polygon(ring, Grid(*mask.shape))
        np.testing.assert_array_equal(drawn, mask)


def test_the_dictionary_is_json_without_pixels(result: Result) -> None:
    plain = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert (plain["version"], plain["task"], plain["size"]) == (1, "segment", [6, 8])
    dog = plain["masks"][0]
    assert dog["labels"] == [{"label": "dog", "probability": 0.75}, {"label": "cat", "probability": 0.25}]
    assert dog["shares"] == {"region": -0.5, "text": None}
    assert dog["selection"] == 1.0
    np.testing.assert_array_equal(decode_rle(dog["segmentation"]), result.masks[0])
    assert not {"image", "logits"} & (set(plain) | set(dog))


def test_maps_of_semantic_and_panoptic_tasks_travel_as_masks() -> None:
    semantic = np.array([[0, 0, 2], [-1, 2, 2]])
    none = np.zeros((0, 2, 3), bool)
    plain = simple(none, task="semantic", semantic=semantic, vocabulary=("a", "b", "c")).to_dict()
    found = json.loads(json.dumps(plain))["semantic"]
    assert [(part["label"], part["area"]) for part in found] == [("a", 2), ("c", 3)]
    np.testing.assert_array_equal(decode_rle(found[1]["segmentation"]), semantic == 2)
    ids = np.array([[1, 1, 0], [0, 2, 2]], np.int32)
    parts = tuple({"id": n, "label": "x", "score": 0.5, "thing": True, "area": 2} for n in (1, 2))
    plain = simple(none, task="panoptic", segments=Segments(ids, parts)).to_dict()  # type: ignore[arg-type]
    second = json.loads(json.dumps(plain))["segments"][1]
    assert (second["id"], second["label"], second["thing"]) == (2, "x", True)
    np.testing.assert_array_equal(decode_rle(second["segmentation"]), ids == 2)


def test_an_overlay_without_an_image_or_with_another_is_refused(result: Result) -> None:
    bare = simple(result.masks)
    with pytest.raises(ImageError, match=r"give one, overlay\(image=...\)"):
        bare.overlay()
    with pytest.raises(ImageError, match="the image is 5 x 4, but the masks are 8 x 6"):
        bare.overlay(np.zeros((4, 5, 3), np.uint8))
    assert bare.overlay(np.zeros((6, 8, 3), np.uint8)).size == (8, 6)
    assert result.overlay().size == (8, 6)
