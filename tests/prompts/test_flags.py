"""Every built-in prompt reads the value of its command-line flag, or says in a sentence what it expected."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seemkit.api import Prompt, PromptError
from seemkit.prompting.read import read_flag
from seemkit.prompts import Box, Concept, Mask, Memory, Point, Polygon, Reference, Scribble, Text

HALF = np.tri(6, 8, dtype=bool)


@pytest.mark.parametrize(
    ("kind", "text", "prompt"),
    [
        (Point, "120,80", Point(x=120, y=80)),
        (Point, "1.5 2", Point(x=1.5, y=2)),
        (Point, "dog:120,80", Point(x=120, y=80, object="dog")),
        (Box, "1,2,3,4.5", Box(x1=1, y1=2, x2=3, y2=4.5)),
        (Scribble, "1,2 3,4 5,6", Scribble(points=[(1, 2), (3, 4), (5, 6)])),
        (Scribble, "1,2 3,4@7.5", Scribble(points=[(1, 2), (3, 4)], width=7.5)),
        (Polygon, "0,0 9,0 9,9", Polygon(points=[(0, 0), (9, 0), (9, 9)])),
        (Text, "the dog on the left", Text(text="the dog on the left")),
        (Concept, "pet:dogs/dog.concept", Concept(file="dogs/dog.concept", object="pet")),
        (Text, "dog:the dog", Text(text="the dog", object="dog")),
        (Reference, "a b#1.jpg#point=120,80", Reference(image="a b#1.jpg", prompts=[Point(x=120, y=80)])),
        (
            Reference,
            "cat:a.jpg#box=1,2,3,4; not-point=2,2;",
            Reference(
                image="a.jpg",
                prompts=[Box(x1=1, y1=2, x2=3, y2=4), Point(x=2, y=2, include=False)],
                object="cat",
            ),
        ),
    ],
)
def test_a_flag_is_read(kind: type[Prompt], text: str, prompt: Prompt) -> None:
    assert read_flag(kind, text) == prompt


def test_a_flag_for_what_it_is_not_and_for_another_object() -> None:
    assert read_flag(Point, "1,2", include=False) == Point(x=1, y=2, include=False)
    assert read_flag(Text, "dog", default_object="3") == Text(text="dog", object="3")
    assert read_flag(Text, "pet:dog", default_object="3") == Text(text="dog", object="pet")


def test_masks_are_read_from_image_files(tmp_path: Path) -> None:
    grey = Image.fromarray(HALF.astype(np.uint8))  # 1 is not 0
    palette = grey.convert("P")
    colour = Image.fromarray(HALF[..., None].astype(np.uint8) * np.array([0, 0, 9], np.uint8))
    clear = np.full((6, 8, 4), 255, np.uint8)
    clear[..., 3] = HALF * 255
    images = {
        "grey.png": grey,
        "bits.png": Image.fromarray(HALF),
        "deep.png": Image.fromarray(HALF.astype(np.uint16) * 3),
        "palette.png": palette,
        "colour.bmp": colour,
        "clear.png": Image.fromarray(clear),
        "grey.tiff": grey,
    }
    for name, image in images.items():
        image.save(tmp_path / name)
        for kind in (Mask, Memory):
            assert np.array_equal(read_flag(kind, str(tmp_path / name)).mask, HALF), name


def test_a_reference_may_name_a_mask(tmp_path: Path) -> None:
    Image.fromarray(HALF).save(tmp_path / "ref.png")
    reference = read_flag(Reference, f"photo.jpg#mask={tmp_path / 'ref.png'}")
    assert reference == Reference(image="photo.jpg", prompts=[Mask(mask=HALF)])


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        (Point, "1", "--point '1' is not of the form x,y"),
        (Point, "1,2,3", "--point '1,2,3' is not of the form x,y"),
        (Point, "a,b", "--point 'a,b' is not of the form x,y"),
        (Point, "1,nan", "--point '1,nan' is not of the form x,y"),
        (Box, "1,2,3", "--box '1,2,3' is not of the form x1,y1,x2,y2"),
        (Box, "9,1,3,4", "--box: box x2=3 must be larger than x1=9"),
        (Scribble, "1,2 3", "--scribble '1,2 3' has 3 numbers, which are no pairs: expected 'x,y x,y ...'"),
        (Scribble, "1,2@", "--scribble '' is not of the form 'x,y x,y ...'"),
        (Scribble, "1,2@0", "--scribble: width is 0.0, expected a number greater than 0"),
        (Scribble, "", "--scribble '' is not of the form 'x,y x,y ...'"),
        (Polygon, "0,0 1,1", "--polygon: polygon has 2 different corners, expected 3 at least"),
        (Polygon, "0,0 5,5 5,0 0,5", "--polygon: polygon crosses itself: its edge 0 from (0, 0) to (5, 5)"),
        (Text, "  ", "--text: text '  ' is empty, expected a word at least"),
        (Concept, "cat.json", "--concept 'cat.json' is not of the form FILE.concept"),
        (Reference, "a.png", "--reference 'a.png' is not of the form IMAGE#point=120,80"),
        (
            Reference,
            "a.png#pont=1,2",
            "--reference 'pont' is not an installed prompt type; did you mean 'point'?",
        ),
        (Reference, "a.png#point=1,2;3", "--reference has '3' where expected IMAGE#point=120,80"),
        (
            Reference,
            "a.png#text=hi",
            "--reference: reference prompts[0] is a text, expected one of box, mask",
        ),
        (Reference, "a.png#not-point=1,2", "--reference: reference has no prompt that includes"),
        (Reference, "a.png#point=1", "--point '1' is not of the form x,y"),
    ],
)
def test_a_bad_flag_is_refused_in_a_sentence(kind: type[Prompt], text: str, sentence: str) -> None:
    with pytest.raises(PromptError) as caught:
        read_flag(kind, text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [Mask, Memory])
def test_a_bad_mask_file_is_refused_in_a_sentence(kind: type[Prompt], tmp_path: Path) -> None:
    flag = f"--{kind.type_name()} names the mask file"
    Image.fromarray(HALF).save(tmp_path / "mask.png")
    Image.fromarray(HALF.astype(np.uint8)).save(tmp_path / "blurred.jpg")
    (tmp_path / "notes.png").write_text("no image")
    (tmp_path / "cut.png").write_bytes((tmp_path / "mask.png").read_bytes()[:45])
    for name, why in {
        "msk.png": f"does not exist; did you mean {str(tmp_path / 'mask.png')!r}?",
        "blurred.jpg": "is a JPEG, which blurs the border of a mask: expected a PNG file",
        "notes.png": "is not an image",
        "cut.png": "cannot be read",
        ".": "cannot be read",
        "no/such/folder.png": "does not exist",
    }.items():
        with pytest.raises(PromptError) as caught:
            read_flag(kind, str(tmp_path / name))
        assert str(caught.value).startswith(flag)
        assert why in str(caught.value)


def test_an_empty_mask_file_selects_nothing(tmp_path: Path) -> None:
    Image.new("1", (4, 4)).save(tmp_path / "empty.png")
    with pytest.raises(PromptError, match="mask selects no pixel"):
        read_flag(Mask, str(tmp_path / "empty.png"))
    assert not read_flag(Memory, str(tmp_path / "empty.png")).mask.any()
