"""`seemkit new`: what it writes and says, and how it refuses."""

from pathlib import Path

import pytest

from seemkit.scaffold.blueprint import BLUEPRINTS


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", BLUEPRINTS)
def test_it_writes_a_project_into_a_folder_of_its_name(run, tmp_path, kind):
    ended = run("new", kind, "ga-ze")
    assert (ended.code, ended.err) == (0, "")
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    told = {line.removeprefix("wrote").strip() for line in ended.out.splitlines() if line.startswith("wrote")}
    assert told == written
    assert "seemkit-ga-ze/src/seemkit_ga_ze/ga_ze.py" in written
    assert '  cd seemkit-ga-ze && pip install -e ".[dev]"\n' in ended.out


def test_folder_and_summary_can_be_given(run, tmp_path):
    assert run("new", "prompt", "gaze", "--into", "a/b", "--about", "where somebody looked.").code == 0
    readme = (tmp_path / "a/b/README.md").read_text()
    assert readme.startswith("# seemkit-gaze\n\nA prompt for seemkit: where somebody looked.\n")


def test_nothing_is_written_over_unless_told_and_then_it_is_said(run, tmp_path):
    run("new", "prompt", "gaze")
    (tmp_path / "seemkit-gaze/README.md").write_text("mine")
    ended = run("new", "prompt", "gaze")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "seemkit: 'seemkit-gaze' is there already and not empty: give another folder with --into, or --force "
        "to write over what has the same name\n"
    )
    assert (tmp_path / "seemkit-gaze/README.md").read_text() == "mine"
    ended = run("new", "prompt", "gaze", "--force")
    assert ended.code == 0
    assert ended.out.startswith("replaced seemkit-gaze/README.md\n\na prompt in")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("promt", "gaze"), "there is no template for 'promt'; did you mean 'prompt'?"),
        (("text_encoder", "gaze"), "there is no template for 'text_encoder'; did you mean 'text-encoder'?"),
        (("zzzzzzzz", "gaze"), "there is no template for 'zzzzzzzz'; there are prompt, token-prompt,"),
        (("prompt",), "missing argument 'NAME'"),
        (("prompt", "Eye Gaze"), "'Eye Gaze' cannot be a name: expected lower-case letters and digits"),
        (
            ("prompt", "class"),
            "'class' cannot be a name: 'class' is a word of Python; did you mean 'my-class'?",
        ),
        (("prompt", "point"), "'point' is taken: seemkit/points"),
        (("prompt", "box"), "'box' is taken: there is a prompt type 'box' already"),
        (("prompt", "output"), "'output' is taken: --output is a flag of the commands that take prompts"),
        (("prompt", "debug"), "'debug' is taken: --debug is a flag of the commands that take prompts"),
        (("backbone", "timm"), "'timm' is taken: seemkit/timm"),
        (("backbone", "tensor"), "'tensor' would make a class Tensor"),
        (("hooks", "prompts"), "'prompts' is taken: the package seemkit_prompts is installed"),
        (("hooks", "gaze", "--about", ""), "--about '' cannot be a summary"),
        (("hooks", "gaze", "--into", "photo.jpg"), "'photo.jpg' is a file: give another folder with --into"),
        (("hooks", "gaze", "--forced"), "there is no flag --forced; did you mean --force?"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(run, tmp_path, words, says):
    (tmp_path / "photo.jpg").write_bytes(b"")
    ended = run("new", *words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"seemkit: {says}")
    assert ended.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_prompt_of_a_one_file_plugin_is_taken_too(run, gaze):
    assert (
        "'gaze' is taken: local/gaze is in prompts already"
        in run("new", "prompt", "gaze", "--plugin", gaze).err
    )


def test_the_help_lists_the_kinds(run):
    help_text = " ".join(run("new", "--help").out.split())
    assert f"KIND is one of {', '.join(BLUEPRINTS)}." in help_text
