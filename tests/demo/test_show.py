"""The demo from a model to a sheet; weights are random, so it is checked what is shown, not what is found."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from seemkit.cli.main import cli
from seemkit.demo.photos import EVERYDAY, PHOTOS, find_file
from seemkit.demo.show import Show
from seemkit.imaging.load import load_image
from seemkit.prompting.read import read_prompt

TINY = Path(__file__).parents[1] / "cli" / "tiny.yaml"


def shown(name: str, model) -> Show:
    photo = PHOTOS[name]
    show = Show(model, load_image(find_file(photo.file)), photo.vocabulary)
    show.run_known(photo)
    return show


@pytest.mark.parametrize("name", PHOTOS)
def test_a_known_photo_is_encoded_once_and_every_kind_has_a_tile(name, model):
    before = model.encodes
    show = shown(name, model)
    assert model.encodes == before + 2  # the photo, and the one that the reference points into
    assert show.left_out == []
    titles = [tile.title for tile in show.tiles]
    assert titles == [
        titles[0],
        "a box",
        "a scribble",
        "a polygon",
        "words",
        "where the reference points",
        titles[6],
        "round 1: a click",
        "round 2: a correcting click",
        "mask, simulated",
    ]
    assert titles[0].startswith("clicks")
    assert len(show.answers) == len(show.tiles) - 1
    assert all(tile.seconds > 0 for tile in show.answers)
    assert show.encode_seconds > 0
    assert {label for tile in show.answers for row in tile.result.labels for label, _ in row} <= set(
        PHOTOS[name].vocabulary
    )


def test_the_second_round_has_memory(model):
    show = shown("coffee", model)
    first, second = (t.result for t in show.tiles if t.title.startswith("round"))
    (asked,) = [asked for asked in PHOTOS["coffee"].asked if asked.then]
    prompts = [read_prompt(data) for data in (*asked.prompts, *asked.then)]
    without = model.segment(show.scene, prompts, vocabulary=show.vocabulary)
    assert not np.array_equal(second.logits, without.logits)
    assert not np.array_equal(first.logits, second.logits)


def test_the_sheet_holds_all_tiles(model):
    show = shown("motorcycle", model)
    assert show.sheet("a heading").size > (5 * 480, 2 * 300)


def test_a_photo_of_your_own_is_shown_from_a_click_in_the_middle(model):
    show = Show(model, load_image(find_file("chelsea.png")))
    assert show.vocabulary == EVERYDAY
    show.run_own([])
    titles = [tile.title for tile in show.tiles]
    assert titles[0] == "a click in the middle"
    for name in ("box", "mask", "polygon", "scribble"):
        assert f"{name}, simulated" in titles
    assert f"text: {show.tiles[0].result.names[0]}" in titles
    assert titles[-2:] == ["round 1: a click in the middle", "round 2: a correcting click"]


def test_your_own_prompts_lead(model):
    show = Show(model, load_image(find_file("chelsea.png")), ["cat", "dog"])
    show.run_own([read_prompt({"type": "box", "x1": 20, "y1": 10, "x2": 400, "y2": 290, "object": "cat"})])
    titles = [tile.title for tile in show.tiles]
    assert titles[0] == "your prompts"
    assert "box, simulated" not in titles
    assert "point, simulated" in titles
    assert show.tiles[-1].result.objects == ("cat",)


def run(*args: object):
    outcome = CliRunner().invoke(cli, [str(arg) for arg in args], prog_name="seemkit")
    return outcome.exit_code, outcome.stdout, outcome.stderr


def test_the_command_writes_the_sheet_and_says_where_and_how_long(here):
    code, out, err = run("demo", "coffee", "-m", TINY, "--weights", "none")
    assert (code, err) == (0, "")
    assert str(here / "seemkit-demo.png") in out
    assert "encoded in" in out
    assert "a round took" in out
    rows = out.splitlines()
    assert rows[0].split() == ["asked", "object", "label", "score", "round"]
    assert rows[1].startswith("clicks: three objects in one pass  cup")
    with Image.open(here / "seemkit-demo.png") as image:
        assert image.format == "PNG"
    assert [file.name for file in here.iterdir()] == ["seemkit-demo.png"]


def test_the_command_takes_prompts_for_a_photo_of_your_own(here):
    photo = find_file("chelsea.png")
    code, out, err = run(
        "demo", photo, "--point", "cat:200,60", "-o", "cat.png", "-m", TINY, "--weights", "none"
    )
    assert (code, err) == (0, "")
    assert "your prompts" in out
    assert (here / "cat.png").is_file()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["coffe"], "there is no photo 'coffe'; did you mean 'coffee'?"),
        (["no-such-photo.jpg"], "no image 'no-such-photo.jpg'"),
        (["-o", "sheet.jpg"], "-o 'sheet.jpg' is not a .png file; did you mean 'sheet.png'?"),
        (["--point", "9999,1"], "--point 9999,1: point x=9999 lies outside the image"),
        (["-m", "nanno"], "did you mean 'nano'?"),
    ],
)
def test_what_the_command_cannot_do_is_one_sentence(args, says, here):
    code, out, err = run("demo", *args)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert list(here.iterdir()) == []
