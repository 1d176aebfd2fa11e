"""Bare, versioned and qualified names; conflicts; unknown names."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from seemkit_registry import AmbiguousComponent, Component, Name, RegistryError, UnknownComponent, normalise


@pytest.fixture
def two(world, thing):
    """Two distributions that both provide points, one of them in two versions."""
    world.install("Alpha.Kit", {"prompts": {"points": "alpha_one:Thing", "points@2": "alpha_two:Thing"}},
                  {"alpha_one": thing, "alpha_two": thing})  # fmt: skip
    world.install("beta", {"prompts": {"points": "beta_one:Thing", "boxes": "beta_boxes:Thing"}},
                  {"beta_one": thing, "beta_boxes": thing})  # fmt: skip
    return world


def test_two_distributions_with_one_name_are_both_listed(two):
    assert [c.qualified for c in two.registry().components("prompts")] == [
        "beta/boxes",
        "alpha-kit/points",
        "alpha-kit/points@2",
        "beta/points",
    ]


def test_the_bare_name_is_refused_with_both_qualified_names(two):
    with pytest.raises(AmbiguousComponent) as caught:
        two.registry().resolve("prompts", "points")
    assert str(caught.value) == (
        "2 distributions provide prompts 'points': write 'alpha-kit/points' or 'beta/points', or state a "
        "preference such as prefer: {prompts: {points: alpha-kit}}"
    )


def test_the_refusal_is_the_same_under_twenty_hash_seeds_and_any_order_of_discovery(two, tmp_path):
    other = tmp_path / "second"
    other.mkdir()
    (two.folder / "beta-1.0.dist-info").rename(other / "beta-1.0.dist-info")
    program = """
        import sys
        from seemkit_registry import Registry, RegistryError
        for path in (sys.argv[1:], sys.argv[:0:-1]):
            try:
                Registry(path=path, host_version="1.0").get("prompts", "points")
            except RegistryError as error:
                print(error)
    """
    said = set()
    for seed in range(20):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), str(two.folder), str(other)],
            capture_output=True,
            check=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        )
        lines = done.stdout.splitlines()
        assert len(lines) == 2
        said |= set(lines)
    assert len(said) == 1
    assert "'alpha-kit/points' or 'beta/points'" in said.pop()


@pytest.mark.parametrize(
    ("name", "qualified"),
    [
        ("beta/points", "beta/points"),
        ("alpha_kit/points", "alpha-kit/points@2"),
        ("ALPHA.kit/points@1", "alpha-kit/points"),
        ("alpha-kit/points@2", "alpha-kit/points@2"),
        ("points@2", "alpha-kit/points@2"),
        ("boxes", "beta/boxes"),
        ("boxes@1", "beta/boxes"),
    ],
)
def test_what_a_name_means(two, name, qualified):
    assert two.registry().resolve("prompts", name).qualified == qualified


def test_a_preference_decides_for_the_call_or_the_registry(two):
    prefer = {"prompts": {"points": "Alpha_Kit"}}
    assert two.registry().resolve("prompts", "points", prefer).qualified == "alpha-kit/points@2"
    assert two.registry(preferences=prefer).get("prompts", "points").__module__ == "alpha_two"
    registry = two.registry(preferences=prefer)
    assert registry.resolve("prompts", "points", {"prompts": {"points": "beta"}}).qualified == "beta/points"
    assert [c.qualified for c in registry.active("prompts")] == ["beta/boxes", "alpha-kit/points@2"]


def test_a_preference_for_a_distribution_without_the_name_is_refused(two):
    with pytest.raises(UnknownComponent, match="'beat', which does not provide it") as caught:
        two.registry().resolve("prompts", "points", {"prompts": {"points": "beat"}})
    assert caught.value.suggestion == "beta"
    assert caught.value.path == "prefer.prompts.points"


def test_the_conflict_does_not_depend_on_what_was_loaded_or_is_quarantined(world, thing):
    world.install("good", {"prompts": {"points": "good_points:Thing"}}, {"good_points": thing})
    world.install("bad", {"prompts": {"points": "bad_points:Thing"}}, {"bad_points": "1/0\n"})
    registry = world.registry()
    registry.get("prompts", "good/points")
    with pytest.raises(AmbiguousComponent):
        registry.get("prompts", "points")
    registry.load_all("prompts")
    with pytest.raises(AmbiguousComponent):
        registry.get("prompts", "points")


@pytest.mark.parametrize(
    ("kind", "name", "says", "suggestion"),
    [
        ("prompts", "bxoes", "no prompts component is named 'bxoes'; did you mean 'boxes'?", "boxes"),
        ("prompts", "box", "did you mean 'boxes'?", "boxes"),
        ("backbones", "boxes", "'boxes' exists among the prompts", None),
        ("prompts", "boxes@7", "names a version that is not installed; there is 'beta/boxes'", "beta/boxes"),
        ("prompts", "alpha-kit/boxes", "names a distribution that is not installed; there is", "beta/boxes"),
        ("prompts", "os.path:join", "no prompts component is named 'os.path:join'", None),
        ("prompts", "", "no prompts component is named ''", None),
        ("promts", "boxes", "there is no kind of component 'promts'; did you mean 'prompts'?", "prompts"),
        ("prompts", "zzzzzz", "installed are boxes, points", None),
    ],
)
def test_an_unknown_name_gets_the_nearest_right_one(two, kind, name, says, suggestion):
    with pytest.raises(UnknownComponent) as caught:
        two.registry().resolve(kind, name)
    assert says in str(caught.value)
    assert caught.value.suggestion == suggestion
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["points", "points@2", "some-kit/points", "some-kit/points@12"])
def test_a_name_is_written_as_it_is_read(text):
    assert str(Name.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "a.b", "a:b", "a/b/c", "../a", "a@", "a@0", "a@1.2", "-a", "a b", "a\n", "x" * 200]
)
def test_what_is_no_name_is_refused(text):
    with pytest.raises(RegistryError, match="not a component's name"):
        Name.parse(text)


def test_distributions_are_compared_as_pep_503_says():
    assert {normalise(name) for name in ("Seemkit_Lasso", "seemkit.lasso", "SEEMKIT--lasso")} == {
        "seemkit-lasso"
    }


def test_errors_carry_their_data(two):
    with pytest.raises(UnknownComponent) as caught:
        two.registry().resolve("prompts", "bxoes")
    error = caught.value
    assert json.dumps([error.kind, error.name, error.suggestion, error.plugin, error.path]) == (
        '["prompts", "bxoes", "boxes", null, null]'
    )
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    "value", ["maker:Thing", "maker:Thing [gpu]", "maker:Case.Thing[gpu,cpu]", "maker.deep:Thing"]
)
def test_the_attribute_of_a_component_is_the_last_name_without_extras(value: str) -> None:
    assert Component("prompts", "things", "maker", "1.0", value).attribute == "Thing"
