"""A name that something installed has already is refused, in one sentence that says what has it."""

import pytest

from seemkit.errors import SeemkitError
from seemkit.scaffold.naming import Naming
from seemkit.scaffold.vacancy import check_vacant


def refusal(kind: str, name: str, *flags: str) -> str:
    with pytest.raises(SeemkitError) as caught:
        check_vacant(kind, Naming(name), flags)
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "name", "who"),
    [
        ("prompts", "points", "seemkit/points"),
        ("prompts", "point", "seemkit/points"),
        ("prompts", "memory", "seemkit/memory"),
        ("backbones", "timm", "seemkit/timm"),
        ("text_encoders", "unicl", "seemkit/unicl"),
        ("answer_policies", "fused", "seemkit/fused"),
    ],
)
def test_a_component_of_the_kind_has_it(kind: str, name: str, who: str) -> None:
    sentence = refusal(kind, name)
    assert sentence.startswith(f"{name!r} is taken: {who} ")
    assert sentence.endswith(f"is in {kind} already; choose another name")


def test_a_component_of_another_kind_is_no_hindrance() -> None:
    check_vacant("backbones", Naming("fused"))
    check_vacant("hooks", Naming("point"))


def test_a_prompt_type_has_it() -> None:
    assert "there is a prompt type 'box' already" in refusal("prompts", "box")


def test_a_flag_of_the_commands_has_it() -> None:
    assert "--json is a flag of the commands that take prompts" in refusal("prompts", "json", "json")
    check_vacant("hooks", Naming("json"), ["json"])


def test_the_excluding_flag_of_another_type_would_have_it() -> None:
    assert "--not-gaze would exclude a gaze" in refusal("prompts", "not-gaze")


def test_an_installed_package_has_it() -> None:
    assert "the package seemkit_text is installed" in refusal("hooks", "text")


def test_an_installed_distribution_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seemkit.scaffold.vacancy.version", lambda name: {"seemkit-gaze": "1.2"}[name])
    assert "the distribution seemkit-gaze 1.2 is installed" in refusal("hooks", "gaze")
