"""Prompt flags come from prompt plugins: what is installed has one, what cannot be used says why."""

import pytest

from seemkit.cli.flag_example import flag_example
from seemkit.cli.prompt_flags import prompt_flags
from seemkit.prompting.read import prompt_types, read_flag

BUILT_IN = ["audio", "box", "concept", "mask", "memory", "point", "polygon", "reference", "scribble", "text"]
LASSO = """
from typing import Literal
from seemkit import api

class Lasso(api.SpatialPrompt):
    type: Literal["lasso"] = "lasso"

    def region(self, size):
        raise NotImplementedError

    @classmethod
    def example(cls):
        return cls()
"""


def plain(text: str) -> str:
    """Help without its line breaks."""
    return " ".join(text.split())


def test_every_installed_type_has_a_flag_with_its_docstring_and_one_to_exclude_if_that_makes_sense(run):
    said = plain(run("segment", "--help").out)
    assert sorted(prompt_types()) == BUILT_IN
    for name, kind in prompt_types().items():
        assert f"--{name}" in said
        assert (f"--not-{name}" in said) == kind.excludes
        assert plain((kind.__doc__ or "").splitlines()[0]) in said
    assert "--point, --not-point x,y" in said
    assert "Such as --box 8,6,40,30" in said


@pytest.mark.parametrize("name", ["box", "point", "polygon", "scribble", "text"])
def test_the_example_in_the_help_is_read_as_the_types_own_example(name):
    kind = prompt_types()[name]
    text = flag_example(kind)
    assert text is not None
    assert read_flag(kind, text) == kind.example()


@pytest.mark.parametrize("name", ["audio", "concept", "mask", "memory", "reference"])
def test_a_type_whose_example_cannot_be_written_shows_none(name):
    assert flag_example(prompt_types()[name]) is None


def test_a_one_file_plugin_becomes_a_flag_before_flags_are_read(run, photo, tiny, gaze):
    said = plain(run("segment", "--plugin", gaze, "--help").out)
    assert "--gaze, --not-gaze x,y,radius A spot that somebody looked at, with its radius." in said
    ended = run("segment", photo, "--gaze", "30,20,5", "--not-gaze", "9,9,2", f"--plugin={gaze}", *tiny)
    assert ended.code == 0, ended.err
    assert "--gaze, --not-gaze" in ended.out


def test_without_the_file_there_is_no_such_flag(run, photo, tiny):
    ended = run("segment", photo, "--gaze", "30,20,5", *tiny)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("seemkit: there is no flag --gaze")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = 1 / 0", "it raised at line 1: ZeroDivisionError"),
        ("x = 1", "declares no component"),
        (
            LASSO.replace(' = "lasso"', ""),
            "its field 'type' has no default",
        ),
    ],
)
def test_a_plugin_file_that_cannot_be_used_is_one_sentence(run, photo, tiny, tmp_path, source, says):
    file = tmp_path / "mine.py"
    file.write_text(source)
    ended = run("segment", photo, "--point", "3,3", "--plugin", file, *tiny)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert "Traceback" not in ended.err


def test_the_nearest_flag_is_named_for_an_unknown_one(run, photo):
    for wrong, right in (("--ponit", "--point"), ("--not-bocks", "--not-box"), ("--vocab", "--vocabulary")):
        ended = run("segment", photo, wrong, "1,2")
        assert ended.code == 2
        assert ended.err == f"seemkit: there is no flag {wrong}; did you mean {right}?\n"


def test_what_cannot_be_excluded_says_so(run, photo):
    ended = run("segment", photo, "--not-memory", "a.png")
    assert (ended.code, ended.err) == (
        2,
        "seemkit: there is no flag --not-memory: a memory cannot be excluded\n",
    )


def test_the_type_of_a_quarantined_plugin_is_listed_in_the_help_and_its_flag_says_why(run, photo, install):
    install("lasso-kit", {"lasso": "lasso_kit:Lasso"}, {"lasso_kit": "import no_such_module_xyz"})
    ended = run("segment", "--help")
    assert ended.err == ""
    why = (
        "plugin 'lasso-kit' (prompts 'lasso') is quarantined: it needs the module 'no_such_module_xyz', "
        "which is not installed; install it, or remove the plugin: pip uninstall lasso-kit"
    )
    assert plain(f"lasso-kit/lasso {why}") in plain(ended.out)
    for flag in ("--lasso", "--not-lasso", "--laso"):
        ended = run("segment", photo, flag, "1,2")
        assert ended.code == 2
        assert ended.err.splitlines()[-1] == f"seemkit: there is no flag {flag}: {why}"


def test_a_quarantined_plugin_is_told_in_one_line_and_the_rest_works(run, photo, tiny, install):
    install("new-kit", {"lasso": "new_kit:Lasso"}, {"new_kit": LASSO}, requires=["seemkit>=99"])
    ended = run("segment", photo, "--point", "30,20", "--json", "-", *tiny)
    assert ended.code == 0
    assert len(ended.json()["masks"]) == 1
    assert ended.err.count("\n") == 1
    assert "it asks for seemkit>=99" in ended.err


def test_a_type_of_two_plugins_has_two_qualified_flags(run, photo, tiny, install):
    for kit in ("a-kit", "b-kit"):
        module = kit.replace("-", "_")
        install(kit, {"lasso": f"{module}:Lasso"}, {module: LASSO})
    said = run("segment", "--help").out
    assert "--a-kit/lasso, --not-a-kit/lasso" in said
    ended = run("segment", photo, "--not-lasso", "1,2")
    assert ended.err == (
        "seemkit: there is no flag --not-lasso: several plugins have that type; "
        "write --not-a-kit/lasso or --not-b-kit/lasso\n"
    )
    ended = run("segment", photo, "--b-kit/lasso", "{}", *tiny)
    assert ended.code == 1  # it is the flag of the plugin, whose region raises NotImplementedError
    assert "NotImplementedError" in ended.err
    assert "Traceback" not in ended.err


def test_a_type_that_is_called_like_a_flag_of_the_command_has_a_qualified_flag(install):
    install("odd-kit", {"select": "odd_kit:Lasso"}, {"odd_kit": LASSO.replace('"lasso"', '"select"')})
    assert [flag.name for flag in prompt_flags(["select"])] == sorted([*BUILT_IN, "odd-kit/select"])


def test_prompts_keep_the_order_of_the_command_line(run, photo, tiny):
    flags = ["--box", "b:8,6,40,30", "--point", "a:30,20", "--box", "c:1,1,9,9"]
    ended = run("segment", photo, *flags, "--json", "-", *tiny)
    assert [entry["object"] for entry in ended.json()["masks"]] == ["b", "a", "c"]


def test_strict_mode_raises_the_fault(run, photo, install, monkeypatch):
    install("new-kit", {"lasso": "new_kit:Lasso"}, {"new_kit": LASSO}, requires=["seemkit>=99"])
    monkeypatch.setenv("SEEMKIT_STRICT", "1")
    ended = run("segment", photo, "--point", "30,20")
    assert ended.code == 2
    assert "it asks for seemkit>=99" in ended.err
