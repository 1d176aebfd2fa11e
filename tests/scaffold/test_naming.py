"""One name becomes all the names of a project, or is refused in one sentence with the nearest that is one."""

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seemkit.errors import SeemkitError
from seemkit.scaffold.naming import LONGEST, LONGEST_ABOUT, Naming, check_about


def test_one_name_gives_all_names() -> None:
    naming = Naming("eye-gaze2")
    assert naming.module == "eye_gaze2"
    assert naming.class_name == "EyeGaze2"
    assert naming.distribution == "seemkit-eye-gaze2"
    assert naming.package == "seemkit_eye_gaze2"
    assert Naming("eye_gaze2").distribution == "seemkit-eye-gaze2"  # as pip compares it


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Gaze", "gaze"),
        ("EyeGaze", "eye-gaze"),
        ("eye gaze", "eye-gaze"),
        ("2gaze", "gaze"),
        ("gaze-", "gaze"),
        ("eye--gaze", "eye-gaze"),
        ("ga.ze", "ga-ze"),
        ("../gaze", "gaze"),
        ("gaze:Gaze", "gaze-gaze"),
        ("augenweiß", "augenwei"),
        ("", None),
        ("123", None),
        ("眼", None),
        ("None ", "my-none"),
    ],
)
def test_what_is_no_name_is_refused_with_the_nearest(name: str, near: str | None) -> None:
    with pytest.raises(SeemkitError, match="cannot be a name: expected lower-case letters") as caught:
        Naming(name)
    assert caught.value.suggestion == near
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [*filter(str.islower, keyword.kwlist), "none", "true", "false"])
def test_a_word_of_python_is_refused(name: str) -> None:
    with pytest.raises(SeemkitError, match="is a word of Python; did you mean 'my-") as caught:
        Naming(name)
    Naming(str(caught.value.suggestion))


def test_the_prefix_of_distributions_is_not_part_of_the_name() -> None:
    with pytest.raises(SeemkitError) as caught:
        Naming("seemkit-lasso")
    assert str(caught.value) == (
        "'seemkit-lasso' cannot be a name: 'seemkit-' is put before it for the distribution; "
        "did you mean 'lasso'?"
    )


def test_a_long_name_is_refused() -> None:
    Naming("x" * LONGEST)
    with pytest.raises(SeemkitError, match=f"it has {LONGEST + 1} characters, expected {LONGEST} at most"):
        Naming("x" * (LONGEST + 1))


@given(st.text(max_size=50))
def test_any_text_is_a_name_or_refused_with_a_name(text: str) -> None:
    try:
        naming = Naming(text)
    except SeemkitError as error:
        if error.suggestion is not None:
            Naming(error.suggestion)
        return
    assert naming.module.isidentifier()
    assert naming.class_name.isidentifier()


def test_a_summary_loses_its_full_stop() -> None:
    assert check_about(" a loop. ") == "a loop"


@pytest.mark.parametrize(
    "about", ["", " . ", 'a "loop"', "a\nloop", "a \\ loop", "$name", "x" * (LONGEST_ABOUT + 1)]
)
def test_a_summary_that_would_need_quoting_is_refused(about: str) -> None:
    with pytest.raises(SeemkitError, match=r"^--about .* cannot be a summary: expected 1 to 60 characters"):
        check_about(about)
