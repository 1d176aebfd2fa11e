"""Drawing results; expected pixels follow from the colours told, away from outlines and letters."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from seemkit.imaging.lettering import chip, font, letter_size, shorten, showable
from seemkit.imaging.marks import draw_marks
from seemkit.imaging.overlay import Layer, draw_overlay, line_width
from seemkit.imaging.palette import EXCLUDE, INCLUDE, colour, ink_on
from seemkit.imaging.sheet import sheet
from seemkit.result import Result, Segments

GREY = np.full((120, 160, 3), 100, np.uint8)
RED = (200, 40, 20)


def square(size: tuple[int, int] = (120, 160)) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[30:90, 40:120] = True
    return mask


def prompt(draw: str, include: bool = True, **fields: object) -> SimpleNamespace:
    return SimpleNamespace(draw=draw, include=include, **fields)


def test_areas_are_tinted_by_alpha_and_the_rest_is_untouched() -> None:
    before = GREY.copy()
    picture = np.asarray(draw_overlay(GREY, [Layer(square(), RED)], outline=False, alpha=0.25))
    np.testing.assert_array_equal(picture[60, 80], [125, 85, 80])  # 0.75 * 100 + 0.25 * colour
    np.testing.assert_array_equal(picture[~square()], GREY[~square()])
    np.testing.assert_array_equal(GREY, before)


def test_the_outline_is_of_the_colour_inside_and_dark_outside() -> None:
    width = line_width((120, 160))
    picture = np.asarray(draw_overlay(GREY, [Layer(square(), RED)], alpha=0.0)).astype(int)
    assert np.abs(picture[30, 60:100] - RED).max() <= 60
    np.testing.assert_array_equal(picture[60, 80], [100, 100, 100])
    assert (picture[29, 60:100] < 100).all()
    np.testing.assert_array_equal(picture[30 - width - 3, 80], [100, 100, 100])


def test_the_border_of_the_image_is_no_outline() -> None:
    whole = np.ones((120, 160), bool)
    picture = np.asarray(draw_overlay(GREY, [Layer(whole, RED)], alpha=0.0))
    np.testing.assert_array_equal(picture, GREY)


def test_a_small_mask_is_seen_on_a_large_one_whatever_the_order() -> None:
    small = np.zeros((120, 160), bool)
    small[50:70, 70:90] = True
    layers = [Layer(small, (0, 0, 255)), Layer(square(), RED)]
    one = np.asarray(draw_overlay(GREY, layers, alpha=1.0))
    other = np.asarray(draw_overlay(GREY, layers[::-1], alpha=1.0))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one[60, 80], [0, 0, 255])


def test_labels_are_drawn_in_the_colour_only_if_asked_and_do_not_cover_each_other() -> None:
    picture = np.asarray(draw_overlay(GREY, [Layer(square(), RED, "dog")], outline=False, alpha=0))
    assert (picture == RED).all(axis=2).sum() > 100
    without = np.asarray(
        draw_overlay(GREY, [Layer(square(), RED, "dog")], outline=False, labels=False, alpha=0)
    )
    np.testing.assert_array_equal(without, GREY)
    twice = [Layer(square(), RED, "dog"), Layer(square(), (0, 0, 255), "dog")]
    both = np.asarray(draw_overlay(GREY, twice, outline=False, alpha=0))
    counts = [(both == tone).all(axis=2).sum() for tone in (RED, (0, 0, 255))]
    assert counts[0] == counts[1] > 100


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (9, 9)])
def test_tiny_images_are_drawn_on_too(size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    layers = [Layer(np.ones(size, bool), RED, "a very long label indeed")]
    prompts = [
        prompt("point", x=0, y=0),
        prompt("text", text="x" * 50),
        prompt("box", x1=0, y1=0, x2=1, y2=1),
    ]
    assert draw_overlay(image, layers, prompts=prompts).size == size[::-1]


def test_an_empty_mask_draws_nothing() -> None:
    picture = draw_overlay(GREY, [Layer(np.zeros((120, 160), bool), RED, "nothing")])
    np.testing.assert_array_equal(np.asarray(picture), GREY)


def test_lines_grow_with_the_image() -> None:
    assert [line_width(size) for size in ((100, 100), (300, 451), (600, 900), (3000, 4000))] == [1, 2, 2, 12]
    assert letter_size((64, 48)) == 10 < letter_size((800, 1200)) < letter_size((3000, 4000))


# Prompts: by what the type declares and its fields, never by its name


def drawn(*prompts: SimpleNamespace) -> np.ndarray:
    picture = Image.fromarray(GREY)
    draw_marks(picture, prompts)
    return np.asarray(picture)


def near(pixel: np.ndarray, tone: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixel.astype(int) - tone).max() < 40)


def test_points_are_discs_with_a_plus_or_a_minus() -> None:
    yes, no = drawn(prompt("point", x=80.5, y=60.5)), drawn(prompt("point", include=False, x=80.5, y=60.5))
    assert near(yes[57, 77], INCLUDE)
    assert near(no[57, 77], EXCLUDE)
    assert near(yes[62, 80], (255, 255, 255))  # the upright of the plus
    assert near(no[62, 80], EXCLUDE)
    assert near(no[60, 82], (255, 255, 255))


def test_boxes_strokes_and_polygons_are_lines_where_they_lie() -> None:
    box = drawn(prompt("box", x1=20, y1=20, x2=100, y2=90))
    assert near(box[20, 60], INCLUDE)
    assert near(box[60, 60], (100, 100, 100))
    stroke = drawn(prompt("stroke", points=[(20, 60), (140, 60)], width=8))
    assert near(stroke[63, 80], INCLUDE)
    assert near(stroke[75, 80], (100, 100, 100))
    polygon = drawn(prompt("polygon", include=False, points=[(20, 20), (140, 20), (80, 100)]))
    assert near(polygon[20, 80], EXCLUDE)
    assert near(polygon[50, 80], (100, 100, 100))


def test_masks_are_outlined_at_the_size_of_the_image_and_named_at_another() -> None:
    outlined = drawn(prompt("mask", mask=square()))
    assert near(outlined[30, 80], INCLUDE)
    assert near(outlined[60, 80], (100, 100, 100))
    other = drawn(prompt("mask", mask=np.ones((7, 7), bool), type="mask"))
    assert near(other[60, 80], (100, 100, 100))
    assert (other[-30:] != 100).any()


def test_texts_become_chips_in_a_corner_that_no_point_is_in() -> None:
    text = prompt("text", text="the dog")
    alone = drawn(text)
    assert (alone[80:, :60] != 100).any()
    beside = drawn(text, prompt("point", x=15, y=110))
    assert (beside[80:, 100:] != 100).any()
    assert near(beside[107, 12], INCLUDE)


def test_a_type_nobody_knows_is_drawn_by_its_fields() -> None:
    lasso = SimpleNamespace(points=[(20, 60), (140, 60)], include=True)
    assert near(drawn(lasso)[60, 80], INCLUDE)
    gaze = SimpleNamespace(draw="image", type="gaze", include=False)
    assert (drawn(gaze) != 100).any()


# Colours and letters


def test_colours_are_apart_also_for_the_colour_blind() -> None:
    # Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB: protanopia, deuteranopia, tritanopia.
    matrices = [
        np.eye(3),
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ]
    from skimage.color import deltaE_ciede2000, rgb2lab

    def least(tones: list[tuple[int, int, int]], matrix: object) -> float:
        linear = (np.array(tones) / 255.0) ** 2.2
        seen = (linear @ np.array(matrix).T).clip(0, 1) ** (1 / 2.2)
        lab = rgb2lab(seen[None])[0]
        far = [deltaE_ciede2000(a, b) for n, a in enumerate(lab) for b in lab[:n]]
        return float(min(far))

    for matrix in matrices:  # 2.3 is just noticeable side by side
        assert least([colour(n) for n in range(6)], matrix) > 16
        assert least([colour(n) for n in range(8)], matrix) > 10
        assert least([INCLUDE, EXCLUDE], matrix) > 20
    assert len({colour(n) for n in range(24)}) == 24


def test_ink_is_readable_on_every_colour() -> None:
    def luminance(tone: tuple[int, int, int]) -> float:  # WCAG 2.1, relative luminance
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.array(tone) / 255]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    for n in range(24):
        light, dark = sorted((luminance(colour(n)), luminance(ink_on(colour(n)))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.3


def test_long_texts_are_cut_to_fit_and_what_cannot_fit_is_left_out() -> None:
    face = font(16)
    assert shorten("short", face, 500) == "short"
    cut = shorten("a label that is far too long", face, 90)
    assert cut.endswith("…")
    assert face.getlength(cut) <= 90
    plate = chip("a label that is far too long", RED, 16, 90)
    assert plate is not None
    assert plate.width <= 90
    assert chip("dog", RED, 16, 10) is None


def test_letters_that_the_font_lacks_lose_their_accents_on_one_line() -> None:
    assert showable("chien\nd'été\t1") == "chien d'ete 1"
    assert showable("犬") == "犬"


# Sheets and whole results


def test_a_sheet_puts_tiles_of_one_size_in_rows_under_their_titles() -> None:
    wide, high = Image.new("RGB", (80, 40), RED), Image.new("RGB", (30, 60), (0, 0, 255))
    page = np.asarray(
        sheet([("one", wide), ("two", high), ("a title of many words " * 9, wide)], 2, tile=200)
    )
    reds = (page == RED).all(axis=2)
    blues = (page == (0, 0, 255)).all(axis=2)
    assert reds.sum() == 2 * 200 * 100
    assert blues.sum() == 100 * 200
    top = np.flatnonzero(reds.any(axis=1))[0]
    assert np.flatnonzero(blues.any(axis=1))[0] == top
    assert (page[:top] < 90).any()  # ink of the titles
    single = sheet([("one", wide)], 5, tile=200)
    assert single.width < 240
    assert sheet([("one", wide)], 1, tile=200, heading="seemkit").height > single.height


def test_a_sheet_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 tiles in 2 columns"):
        sheet([], 2)


def test_objects_share_a_colour_and_masks_of_one_object_do_not() -> None:
    masks = np.zeros((3, 120, 160), bool)
    for n in range(3):
        masks[n, 80:110, 10 + 50 * n : 50 + 50 * n] = True
    scores = np.ones(3)

    def centres(objects: tuple[str, ...]) -> list[tuple[int, ...]]:
        picture = np.asarray(
            Result(masks, scores, objects=objects, image=GREY).overlay(alpha=1, labels=False)
        )
        return [tuple(picture[95, 30 + 50 * n]) for n in range(3)]

    assert centres(("a", "b", "a")) == [colour(0), colour(1), colour(0)]
    assert centres(("1", "1", "1")) == [colour(0), colour(1), colour(2)]


def test_semantic_and_panoptic_maps_are_drawn_by_class_and_segment() -> None:
    where = np.zeros((120, 160), np.int32)
    where[:, 80:] = 1
    none = np.zeros((0, 120, 160), bool)
    semantic = Result(none, np.zeros(0), image=GREY, task="semantic", semantic=where - 1, vocabulary=("sky",))
    picture = np.asarray(semantic.overlay(alpha=1, labels=False))
    np.testing.assert_array_equal(picture[60, 120], colour(0))
    np.testing.assert_array_equal(picture[60, 20], GREY[60, 20])
    part = {"id": 1, "label": "sky", "score": 0.9, "thing": False, "area": 9600}
    panoptic = Result(none, np.zeros(0), image=GREY, task="panoptic", segments=Segments(where, (part,)))  # type: ignore[arg-type]
    np.testing.assert_array_equal(np.asarray(panoptic.overlay(alpha=1, labels=False)), picture)


def test_an_overlay_on_a_real_photo_shows_the_photo_outside_the_mask() -> None:
    photo = pytest.importorskip("skimage.data").chelsea()
    mask = np.zeros(photo.shape[:2], bool)
    mask[60:250, 100:380] = True
    result = Result(mask[None], np.ones(1), labels=((("cat", 0.9),),), image=photo)
    picture = np.asarray(result.overlay())
    np.testing.assert_array_equal(picture[270:], photo[270:])
    assert (picture[150, 240] != photo[150, 240]).any()
