"""`seemkit concept`: regions are kept in a file, found in the photos of a folder, and refused in a sentence."""

import json

import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path, photo):
    """Two photos, a file that is none, and notes."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    image = Image.open(photo)
    image.save(folder / "one.png")
    image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "more" / "two.png")
    (folder / "bad.jpg").write_text("no image")
    (folder / "notes.txt").write_text("no photo")
    return folder


@pytest.fixture
def seeded(tiny, monkeypatch):
    """The smallest model with the same random weights every time, as a file would give them."""
    import torch

    import seemkit.pipeline.load

    before = seemkit.pipeline.load.load

    def load(*args, **options):
        torch.manual_seed(0)
        return before(*args, **options)

    monkeypatch.setattr(seemkit.pipeline.load, "load", load)
    return tiny


def test_a_concept_is_saved_found_in_a_folder_and_mixed_with_other_prompts(
    run, photo, folder, seeded, tmp_path
):
    file, two = tmp_path / "cat.concept", folder / "more" / "two.png"
    saved = run(
        "concept", "save", photo, "--box", "10,5,40,30", "--not-point", "12,7", "--point", "b:50,40",
        "--reference", f"{two}#box=10,5,40,30", "--not-reference", f"{two}#point=60,45",
        "-o", file, *seeded,
    )  # fmt: skip
    assert (saved.code, saved.err) == (0, "")
    size = f"{file.stat().st_size / 1000:.1f} kB"
    assert saved.out == f"{file}: 3 regions, and 1 that it is not, {size}, for the weights of tiny\n"
    found = run("concept", "find", file, folder, photo, "-o", tmp_path / "out", "--json", "-", *seeded)
    assert found.code == 0
    assert "left out: " in found.err
    assert "bad.jpg" in found.err
    data = found.json()
    assert data["concept"] == "cat"
    *read, left = data["photos"]
    assert sorted(each["photo"] for each in read) == sorted(map(str, [folder / "one.png", two, photo]))
    assert [each["likeness"] for each in read] == sorted((each["likeness"] for each in read), reverse=True)
    assert all(len(each["masks"]) == 1 for each in read)
    assert "is not an image" in left["problem"]
    out = tmp_path / "out"
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png")) == [
        "more/two.png.png",
        "one.png.png",
        "photo.png.png",
    ]
    table = run("concept", "find", file, folder, "--vocabulary", "cat,dog", *seeded)
    assert table.out.splitlines()[0].split() == ["photo", "likeness", "score", "area", "label"]
    alone = run("segment", folder / "one.png", "--concept", file, "--json", "-", *seeded)
    mixed = run(
        "segment", folder / "one.png", "--concept", file, "--not-point", "20,20", "--json", "-", *seeded
    )
    one = next(each for each in read if each["photo"].endswith("one.png"))
    assert json.loads(alone.out)["masks"] == one["masks"]
    assert json.loads(mixed.out)["masks"] != one["masks"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["save", "PHOTO", "-o", "x.concept"], "nothing says which region of"),
        (["save", "-o", "x.concept"], "no region was given; give at least one"),
        (["save", "-o", "x.concept", "--point", "3,4"], "--point 3,4 needs the photo that it is on"),
        (
            ["save", "PHOTO", "-o", "x.concept", "--text", "cat"],
            "--text cat selects no pixels: a concept is made of regions",
        ),
        (["save", "PHOTO", "-o", "x.concept", "--point", "500,4"], "--point 500,4: "),
        (
            ["save", "PHOTO", "-o", "x.safetensors", "--point", "3,4"],
            "-o 'x.safetensors' is not a .concept file; did you mean 'x.concept'?",
        ),
        (["save", "PHOTO", "-o", "no/x.concept", "--point", "3,4"], "there is no directory 'no'"),
        (
            ["save", "PHOTO", "-o", "x.concept", "--point", "3,4", "--tokens", "0"],
            "--tokens '0' is not 'all' or a number from 1 to 1024",
        ),
        (["save", "-o", "x.concept", "--not-reference", "PHOTO#point=3,4"], "no region was given"),
        (["save", "-o", "x.concept", "--reference", "none.png#point=3,4"], "none.png"),
        (["find", "none.concept", "PHOTO"], "there is no concept file 'none.concept'"),
        (["find", "PHOTO", "PHOTO"], "is not a whole concept file; save the concept again"),
        (["fnd"], "'seemkit concept' has no command 'fnd'; did you mean 'find'?"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_before_any_work(
    run, photo, tiny, tmp_path, monkeypatch, words, says
):
    monkeypatch.chdir(tmp_path)
    ended = run(
        "concept", *(word.replace("PHOTO", str(photo)) for word in words), *(tiny if len(words) > 1 else [])
    )
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert ended.err.count("\n") == 1
    assert list(tmp_path.glob("*.concept")) == []


def test_of_other_weights_it_is_refused_before_anything_is_written(run, photo, seeded, tmp_path):
    file = tmp_path / "cat.concept"
    assert run("concept", "save", photo, "--box", "10,5,40,30", "-o", file, *seeded).code == 0
    other = run("concept", "find", file, photo, *seeded, "-s", "mask_decoder.preset=nano")
    assert other.code == 2
    assert "was made by other weights of the assembly 'tiny' than this model's" in other.err


def test_a_file_may_keep_fewer_tokens_or_all(run, photo, seeded, tmp_path):
    sizes = []
    for tokens in ("1", "12", "all"):
        file = tmp_path / f"{tokens}.concept"
        run("concept", "save", photo, "--box", "10,5,40,30", "-o", file, "--tokens", tokens, *seeded)
        sizes.append(file.stat().st_size)
    assert sizes == sorted(sizes)
    assert sizes[2] > 5 * sizes[1]


def test_its_own_plugins_come_before_its_commands_and_theirs_behind(run, photo, seeded, gaze, tmp_path):
    words = ["save", photo, "--gaze", "30,20,5", "-o", tmp_path / "x.concept", *seeded]
    assert run("concept", *words, "--plugin", gaze).code == 0
    assert run("concept", "--plugin", gaze, *words).code == 0
