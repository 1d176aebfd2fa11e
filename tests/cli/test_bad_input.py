"""Bad input ends with exit code 2, one sentence, no traceback, and nothing written half."""

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

SQUARE = "5,5 20,5 20,20 5,20"

PROMPTS = {
    "point outside": (["--point", "64,20"], "--point 64,20: point x=64 lies outside the image: expected"),
    "negative point": (["--point", "-1,20"], "point x=-1 lies outside the image"),
    "NaN": (["--point", "nan,20"], "--point 'nan,20' is not of the form x,y"),
    "infinity": (["--box", "0,0,inf,20"], "--box '0,0,inf,20' is not of the form x1,y1,x2,y2"),
    "half a point": (["--point", "3"], "--point '3' is not of the form x,y"),
    "empty polygon": (["--polygon", ""], "--polygon '' is not of the form"),
    "self-crossing polygon": (["--polygon", "5,5 20,20 20,5 5,20"], "cross"),
    "flat box": (["--box", "9,5,9,20"], "--box: box x2=9 must be larger than x1=9"),
    "box upside down": (["--box", "5,20,9,5"], "y2=5 must be larger than y1=20"),
    "box outside": (["--box", "70,5,90,20"], "lies outside the image"),
    "empty text": (["--text", " "], "--text: text ' ' is empty"),
    "missing mask": (["--mask", "gone.png"], "--mask names the mask file 'gone.png', which does not exist"),
    "unknown type": (["--pointt", "3,4"], "there is no flag --pointt; did you mean --point?"),
    "reference to a missing photo": (["--reference", "gone.jpg#point=3,4"], "no image 'gone.jpg'"),
    "reference of an unknown type": (["--reference", "a.png#ponit=3,4"], "did you mean 'point'"),
    "reference without a region": (["--reference", "a.png"], "is not of the form IMAGE#point=120,80"),
    "no prompt": ([], "no prompt was given; give at least one, such as --"),
    "only an exclusion": (["--not-point", "3,4"], "--not-point 3,4 says what object '1' is not"),
    "a flag without its value": (["--point"], "option '--point' requires an argument"),
}  # fmt: skip

REQUESTS = {
    "unknown assembly": (["-m", "nanno"], "no assembly is named 'nanno'; did you mean 'nano'?"),
    "missing assembly file": (["-m", "gone.yaml"], "gone.yaml: the document: there is no such file"),
    "unknown option": (["-s", "backbone.widht=8"], "'focal' has no option 'widht'; did you mean 'width'?"),
    "override without a value": (
        ["-s", "backbone.width"],
        "-s 'backbone.width' is not of the form PATH=VALUE",
    ),
    "missing weights": (["--weights", "gone.safetensors"], "there is no weights file gone.safetensors"),
    "weights that are none": (["--weights", __file__], "is not a whole safetensors file"),
    "unknown device": (["--device", "tpu9"], "device 'tpu9' is not there on this machine"),
    "no threads": (["--threads", "0"], "'--threads'"),
    "select nothing": (
        ["--select", "0"],
        "--select '0' is not 'best', 'all', 'parts' or a number of masks from 1 on",
    ),
    "empty name": (["--vocabulary", "dog,,cat"], "vocabulary[1] is ''"),
    "unknown suffix": (["-o", "out.pgn"], "'out.pgn' has the suffix '.pgn'"),
    "no such folder": (["-o", "gone/out.png"], "there is no directory 'gone'"),
    "two outputs in one file": (["-o", "a.json", "--json", "a.json"], "-o and --json both name 'a.json'"),
    "too many photos": (["other.png"], "got unexpected extra argument (other.png)"),
    "missing plugin file": (["--plugin", "gone.py"], "there is no plugin file 'gone.py'"),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: Path) -> Path:
    """An empty folder to work in, where nothing may appear."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def check(ended, folder: Path, says: str) -> None:
    assert ended.code == 2, ended.err
    assert ended.out == ""
    assert says in ended.err
    assert ended.err.startswith("seemkit: ")
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("case", PROMPTS)
def test_a_prompt_that_does_not_fit(case, run, photo, tiny, here):
    flags, says = PROMPTS[case]
    check(run("segment", photo, "-o", "out.png", "--json", "out.json", *tiny, *flags), here, says)


@pytest.mark.parametrize("case", REQUESTS)
def test_a_request_that_cannot_be_met(case, run, photo, tiny, here):
    flags, says = REQUESTS[case]
    check(run("segment", photo, "--point", "3,4", *tiny, *flags), here, says)


def png(width: int, height: int) -> bytes:
    """A PNG file whose header says that size, and that holds no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        chunks += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunks


PHOTOS = {
    "not an image": (b"hello", "is not an image"),
    "empty file": (b"", "is empty (0 bytes)"),
    "bomb": (png(20_000, 20_000), "is 20000 x 20000, 400 megapixels, over the limit of 100"),
    "zero size": (png(0, 7), "0 x 7"),
    "truncated": (png(64, 48), "is a damaged or truncated PNG file"),
}


@pytest.mark.parametrize("command", ["segment", "everything", "demo"])
@pytest.mark.parametrize("case", PHOTOS)
def test_a_photo_that_cannot_be_read(case, command, run, tmp_path, tiny, here):
    content, says = PHOTOS[case]
    bad = tmp_path / "bad.png"
    bad.write_bytes(content)
    flags = {"segment": ["--point", "3,4"], "everything": ["--vocabulary", "dog"], "demo": []}[command]
    check(run(command, bad, *flags, "-o", "out.png", *tiny), here, says)


@pytest.mark.parametrize("command", ["segment", "everything"])
def test_a_missing_photo_is_answered_with_the_nearest_file(command, run, photo, here):
    flags = ["--point", "3,4"] if command == "segment" else ["--vocabulary", "dog"]
    wrong = photo.with_name("foto.png")
    check(run(command, wrong, *flags), here, f"no image '{wrong}'; did you mean '{photo}'?")


def test_a_truncated_scene_and_one_of_another_encoder_are_refused(run, photo, tiny, tmp_path, here):
    from seemkit import load

    whole = load(tiny[1], weights=None).encode(photo).save(tmp_path / "whole.scene")
    cut = tmp_path / "cut.scene"
    cut.write_bytes(whole.read_bytes()[:200])
    check(run("segment", cut, "--point", "3,4", *tiny), here, "is not a whole scene file")
    check(run("segment", tmp_path / "gone.scene", "--point", "3,4", *tiny), here, "there is no scene file")
    other = [*tiny, "-s", "preprocess.short=32"]
    check(run("segment", whole, "--point", "3,4", *other), here, "was made by another encoder")


def test_the_photo_itself_is_never_replaced(run, photo, tiny, here):
    before = photo.read_bytes()
    for command, flags in (
        ("segment", ["--point", "3,4"]),
        ("demo", []),
        ("everything", ["--vocabulary", "a"]),
    ):
        check(run(command, photo, *flags, "-o", photo, *tiny), here, "is the photo itself")
    assert photo.read_bytes() == before


def test_what_was_there_stays_if_a_request_fails(run, photo, tiny, here):
    out = photo.with_name("out.png")
    Image.new("RGB", (1, 1)).save(out)
    before = out.read_bytes()
    check(run("segment", photo, "--point", "99,4", "-o", out, *tiny), here, "lies outside the image")
    assert out.read_bytes() == before
    assert sorted(file.name for file in photo.parent.iterdir() if file.is_file()) == ["out.png", "photo.png"]


def test_an_assembly_without_weights_says_which_flag_gives_some(run, photo, tiny, here):
    says = f"'{tiny[1]}' names no weights; give --weights FILE, or --weights none for random ones"
    check(run("segment", photo, "--point", "3,4", *tiny[:2]), here, says)


def test_several_problems_of_an_assembly_are_told_at_once(run, photo, tiny):
    wrong = ["-s", "backbone.widht=8", "-s", "pixel_decoder.dimm=8"]
    ended = run("segment", photo, "--point", "3,4", *tiny, *wrong)
    assert (ended.code, ended.out) == (2, "")
    head, *lines = ended.err.splitlines()
    assert head.endswith("has 2 problems:")
    assert [line.split(":")[0].strip() for line in lines] == ["backbone.widht", "pixel_decoder.dimm"]
