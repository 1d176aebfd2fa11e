"""`seemkit plan`, `schema` and `assemble` on the command line."""

import json

import pytest
import yaml

from seemkit.assembly import load_assembly


def test_a_plan_is_printed_with_everything_that_it_knows(run, tiny):
    ended = run("plan", tiny[1], "--photo", "64x48", "-s", "text_encoder=static")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("tiny, for a photo of 64 x 48\n")
    for words in (
        "backbone       focal      seemkit",
        "finest map      32 x 16 x 24",
        "image_encoder",
        "\nmemory, estimated in float32\n",
        "\nlaterals         the maps of the backbone have 16, 32, 64, 128 channels",
        "texts are 128 wide and the decoder's rows 32",
        "\nfile  none: give --weights FILE",
    ):
        assert words in ended.out, words


def test_a_plan_is_json_too(run):
    found = run("plan", "nano", "--json").json()
    assert found["parts"][0]["distribution"] == "seemkit"
    assert found["photo"] == [480, 640]
    assert found["weights"]["untrained"] == {}
    assert sum(found["parameters"].values()) > 4e6
    swapped = run("plan", "nano", "--json", "-s", "backbone.model=test_resnet").json()
    assert "image_encoder" in swapped["weights"]["untrained"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plan"], "missing argument"),
        (["plan", "nanno"], "did you mean 'nano'?"),
        (["plan", "nano", "--photo", "640"], "such as 640x480"),
        (["plan", "nano", "--photo", "0x5"], "such as 640x480"),
        (["plan", "nano", "-s", "backbone"], "not of the form PATH=VALUE"),
        (["plan", "nano", "-s", "mask_decoder.heads=5"], "cannot split 96 channels into 5 heads"),
        (["schema", "pont"], "did you mean 'point'?"),
        (["schema", "assmebly"], "did you mean 'assembly'?"),
        (["schema", "point", "-o", "no/such/folder.json"], "there is no directory"),
        (["assemble", "nano", "-o", "mine.txt"], "give a file that ends in .yaml"),
        (["assemble", "nanno"], "did you mean 'nano'?"),
    ],
)
def test_a_wrong_request_is_one_sentence(run, words, says):
    ended = run(*words)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert ended.err.count("\n") == 1


def test_a_schema_is_printed_or_written_whole(run, tmp_path):
    prompts = run("schema", "prompts").json()
    assert prompts["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert run("schema", "point").json()["properties"]["type"]["const"] == "point"
    assert run("schema", "fpn").json()["properties"]["dim"]["default"] == 512
    out = tmp_path / "assembly.json"
    ended = run("schema", "-o", out)
    assert (ended.code, ended.out) == (0, f"{out}: the schema of assembly\n")
    assert json.loads(out.read_text())["title"] == "seemkit assembly"


def test_the_schema_of_what_a_file_brings(run, gaze):
    found = run("schema", "prompts", "--plugin", gaze).json()
    assert "gaze" in found["discriminator"]["mapping"]
    assert run("schema", "gaze", "--plugin", gaze).json()["properties"]["radius"]["default"] == 4.0


def test_an_assembly_is_written_with_overrides_and_loads(run, tmp_path):
    out = tmp_path / "mine.yaml"
    ended = run("assemble", "-o", out, "-s", "mask_decoder.layers=3", "-s", "name=mine")
    assert (ended.code, ended.out) == (0, f"{out}: mine, every option explained\n")
    assert ended.err.startswith("its weights belong beside it: copy ")
    found = load_assembly(out)
    assert (found.name, found.mask_decoder.settings.layers) == ("mine", 3)
    printed = run("assemble", "nano", "-s", "mask_decoder.layers=3", "-s", "name=mine")
    assert printed.out == out.read_text()
    assert yaml.safe_load(printed.out)["seemkit"] == 1
