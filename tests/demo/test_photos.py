"""The data of the demo fits the photos that scikit-image really carries."""

import pytest

from seemkit.demo.photos import DEFAULT, PHOTOS, find_file
from seemkit.demo.steps import Step, known_steps
from seemkit.errors import SeemkitError
from seemkit.imaging.load import load_image
from seemkit.prompting.prompt import SpatialPrompt
from seemkit.prompting.read import prompt_types

WANTED = {"point", "box", "scribble", "polygon", "text", "reference"}


@pytest.mark.parametrize("name", PHOTOS)
def test_every_prompt_lies_on_its_photo_and_every_kind_is_shown(name):
    photo = PHOTOS[name]
    pixels = load_image(find_file(photo.file))
    steps = list(known_steps(photo, pixels))
    assert all(isinstance(step, Step) for step in steps)
    assert {kind for step in steps for kind in step.types} == WANTED
    assert sum(bool(step.then) for step in steps) == 1
    for step in steps:
        for prompt in (*step.prompts, *step.then):
            prompt.check(pixels.shape[:2])
            for region in getattr(prompt, "prompts", ()):
                other = prompt.image if not isinstance(prompt.image, str) else load_image(prompt.image)
                region.check(other.shape[:2])


def test_the_default_points_into_another_photo():
    photo = PHOTOS[DEFAULT]
    steps = known_steps(photo, load_image(find_file(photo.file)))
    (reference,) = [p for step in steps for p in step.prompts if p.type_name() == "reference"]
    assert isinstance(reference.image, str)
    assert not reference.image.endswith(photo.file)


def test_the_photos_are_found_without_importing_the_package_that_carries_them():
    import subprocess
    import sys

    code = (
        "import sys; from seemkit.demo.photos import find_file, PHOTOS\n"
        "assert all(find_file(photo.file).is_file() for photo in PHOTOS.values())\n"
        "assert not {'skimage', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_photo_that_is_not_there_is_one_sentence():
    with pytest.raises(SeemkitError, match=r"scikit-image carries no 'gone\.png' here"):
        find_file("gone.png")


def test_types_that_cannot_be_used_are_left_out_with_the_reason(monkeypatch):
    installed = prompt_types()
    del installed["polygon"]
    monkeypatch.setattr("seemkit.demo.steps.prompt_types", lambda: installed)
    photo = PHOTOS["coffee"]
    steps = list(known_steps(photo, load_image(find_file(photo.file))))
    (out,) = [step for step in steps if not isinstance(step, Step)]
    assert (out.title, out.reason) == ("a polygon", "no usable plugin provides polygon")
    assert len(steps) == len(photo.asked)
    assert all(issubclass(installed[name], SpatialPrompt) for name in ("box", "point"))
