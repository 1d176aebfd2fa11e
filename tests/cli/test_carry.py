"""`seemkit carry`: a report of what fits, a file of it, or a sentence."""

from pathlib import Path

import pytest

TINY = Path(__file__).with_name("tiny.yaml")


@pytest.fixture
def source(tmp_path):
    from seemkit import load
    from seemkit.weights import save_weights

    model = load(TINY, weights=None, device="cpu")
    return save_weights(model.network, tmp_path / "tiny.safetensors", {"assembly": "tiny", "license": "CC0"})


def test_the_report_is_a_table_and_the_file_is_written(run, source, tmp_path):
    out = tmp_path / "deeper.safetensors"
    ended = run("carry", source, "--to", TINY, "-s", "mask_decoder.queries=9", "-o", out)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].split()[:3] == ["part", "tensors", "values"]
    queries = next(line for line in lines if line.startswith("decoder.queries"))
    assert queries.endswith(" x 32 in the file, 9 x 32 expected")
    assert "untrained: shape" in queries
    assert any(line.split() == ["license", "CC0"] for line in lines)
    assert any(line.startswith("weights") and str(out) in line for line in lines)
    assert out.is_file()


def test_as_json_every_tensor_has_its_reason_and_nothing_is_written_without_a_target(run, source, tmp_path):
    before = sorted(tmp_path.iterdir())
    data = run("carry", source, "--to", TINY, "-s", "mask_decoder.queries=9", "--json").json()
    assert data["file"] is None
    assert {each["name"] for each in data["untrained"]} == {
        "decoder.queries.object.content",
        "decoder.queries.object.position",
    }
    assert all(each["shape"] == [9, 32] and "expected" in each["reason"] for each in data["untrained"])
    assert data["untrained_values"] == 2 * 9 * 32
    assert data["record"]["license"] == "CC0"
    assert data["record"]["untrained"] == [each["name"] for each in data["untrained"]]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nnao", "--to", "nano"], "there are no weights 'nnao'; did you mean 'nano'?"),
        (["none.safetensors", "--to", "nano"], "there is no weights file none.safetensors"),
        (
            ["seem-focalt-v1", "--to", "nano"],
            "of 'seem-focalt-v1' are not here; 'seemkit pull seem-focalt-v1'",
        ),
        (["nano", "--to", "nnao"], "did you mean 'nano'?"),
        (["nano", "--to", "nano", "-s", "backbone.modle=resnet18"], "did you mean 'model'?"),
        (["nano"], "missing option '--to'"),
        (["nano", "--to", "nano", "-o", "x.pt"], "is not a .safetensors file; did you mean 'x.safetensors'?"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(run, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEMKIT_CACHE", str(tmp_path))
    ended = run("carry", *words)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert ended.err.count("\n") == 1
