"""Opinions of a classifier: the crop it sees, and the direction its probabilities give. Numbers by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seemkit.data.sample import Sample, SampleObject
from seemkit.training.opinions import Opinions, class_vectors, classify, masked_crop, read_opinions
from seemkit_text.static import Static, StaticEncoder


def encoder() -> StaticEncoder:
    built = Static.build(Static.Options())
    assert isinstance(built, StaticEncoder)
    return built


def picture(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (60, 80)) -> Sample:
    image = np.full((*size, 3), 230, np.uint8)
    objects = []
    for n, (y0, y1, x0, x1) in enumerate(boxes):
        mask = np.zeros(size, bool)
        mask[y0:y1, x0:x1] = True
        image[mask] = 50
        objects.append(SampleObject(mask, key=f"k{n}"))
    return Sample("p", image, tuple(objects))


def test_a_crop_keeps_the_object_and_fades_its_surroundings() -> None:
    shown = picture((20, 40, 30, 50))
    # 40 x 40 pixels: no resizing
    crop = masked_crop(shown.read_image(), shown.objects[0].read_mask(), margin=0.5, keep=0.3, size=40)
    assert (crop[10:30, 10:30] == 50).all()
    assert (crop[0] == 157).all()  # int(230 * 0.3 + 127 * 0.7 = 157.9)


def test_a_crop_beyond_the_image_is_filled_with_grey() -> None:
    shown = picture((0, 20, 0, 20))
    crop = masked_crop(shown.read_image(), shown.objects[0].read_mask(), margin=0.5, size=40)
    assert (crop[:10] == 127).all()
    assert (crop[:, :10] == 127).all()
    assert (crop[10:30, 10:30] == 50).all()


class Darkness(nn.Module):
    """Class 3 for dark crops, class 7 for bright ones, the other of the two next."""

    def forward(self, x: Tensor) -> Tensor:
        logits = torch.zeros(len(x), 1000)
        centre = x[:, :, 100:124, 100:124].mean((1, 2, 3))
        logits[:, 3], logits[:, 7] = 20 - 10 * centre.sign(), 20 + 10 * centre.sign()
        return logits


def test_every_object_of_400_pixels_gets_an_opinion_in_order_whatever_the_batch() -> None:
    pictures = [picture((0, 20, 0, 20), (30, 49, 30, 50), (40, 60, 60, 80))]  # 400, 380, 400 pixels
    one = classify(pictures, Darkness(), batch=1, say=lambda _: None)
    all_at_once = classify(pictures, Darkness(), batch=8, say=lambda _: None)
    assert one.keys == all_at_once.keys == ("k0", "k2")
    assert one.classes[:, :2].tolist() == [[3, 7], [3, 7]]
    np.testing.assert_allclose(one.probabilities, all_at_once.probabilities)
    np.testing.assert_allclose(one.probabilities[:, 0], 1, atol=1e-6)


def test_a_target_is_the_unit_mean_of_vectors_by_probability() -> None:
    classes = np.array([[0, 1] + [2] * 8], np.int16)
    probabilities = np.array([[0.6, 0.3] + [0.0] * 8], np.float32)
    found = Opinions(("a",), classes, probabilities).targets(torch.eye(3))["a"]
    np.testing.assert_allclose(found, np.array([2, 1, 0]) / np.sqrt(5), rtol=1e-6)


def test_opinions_survive_a_file_and_point_at_the_name(tmp_path: Path) -> None:
    # ImageNet class 207 is "golden retriever", 817 "sports car, sport car"
    classes = np.stack([np.r_[207, np.arange(9)], np.r_[817, np.arange(9)]]).astype(np.int16)
    probabilities = np.tile(np.float32([0.91] + [0.01] * 9), (2, 1))
    Opinions(("dog", "car"), classes, probabilities).save(tmp_path / "o.npz")
    targets = read_opinions(tmp_path / "o.npz", encoder())
    names = torch.stack([p.embedding for p in encoder().encode(["dog", "car", "chair", "pizza"])])
    names = nn.functional.normalize(names, dim=1)
    for place, key in enumerate(("dog", "car")):
        assert np.linalg.norm(targets[key]) == pytest.approx(1, abs=1e-5)
        assert int((names @ torch.from_numpy(targets[key])).argmax()) == place


def test_class_vectors_are_unit_vectors_of_all_thousand_classes() -> None:
    vectors = class_vectors(encoder())
    assert vectors.shape == (1000, 128)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(1000))


def test_what_is_likely_enough_is_a_name() -> None:
    classes = np.array([[207, 1], [1, 207]], np.int16)  # 207 is the golden retriever of ImageNet
    sure = Opinions(("a", "b"), classes, np.array([[0.6, 0.1], [0.3, 0.2]], np.float32))
    assert sure.names(0.5) == {"a": "golden retriever"}
    assert sure.names(0.3) == {"a": "golden retriever", "b": "goldfish"}
