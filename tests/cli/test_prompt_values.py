"""Which object a flag belongs to (DESIGN.md, Composition): words open their own, all else shares object 1."""

import pytest

from seemkit.cli.prompt_flags import Given, prompt_flags
from seemkit.cli.prompt_values import check_prompts, read_prompts
from seemkit.errors import PromptError


def given(*flags: str) -> list[Given]:
    """``point 3,4``, ``not-text cat`` and so on as they come from the command line."""
    known = {flag.name: flag for flag in prompt_flags()}
    split = [flag.partition(" ") for flag in flags]
    return [
        Given(known[name.removeprefix("not-")], not name.startswith("not-"), text) for name, _, text in split
    ]


@pytest.mark.parametrize(
    ("flags", "objects"),
    [
        (["point 3,4"], ["1"]),
        (["point 3,4", "not-point 5,6", "box 1,1,9,9"], ["1", "1", "1"]),
        (["text a dog"], ["1"]),
        (["text a dog", "text a cat"], ["1", "2"]),
        (["text a dog", "point 3,4"], ["2", "1"]),
        (["point 3,4", "text a dog", "text a cat", "point 5,6"], ["1", "2", "3", "1"]),
        (["text dog:a dog", "point dog:3,4"], ["dog", "dog"]),
        (["text dog:a dog", "text a cat", "point 3,4"], ["dog", "2", "1"]),
        (["text a dog", "not-text a puppy", "text a cat"], ["1", "1", "2"]),
        (["not-text a puppy", "text a dog", "point 3,4"], ["2", "2", "1"]),
        (["point 3,4", "not-text a cat"], ["1", "1"]),
        (["text a dog", "text a dog"], ["1", "2"]),
    ],
)
def test_objects(flags, objects):
    prompts = read_prompts(given(*flags))
    assert [prompt.object for prompt in prompts] == objects
    assert [prompt.include for prompt in prompts] == [not flag.startswith("not-") for flag in flags]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (
            ["text the dog", "not-point 5,6"],
            "--not-point 5,6 says what object '1' is not, but nothing says what it is; "
            'name the object in both: --text "it:the dog" --not-point it:5,6',
        ),
        (["not-text a cat"], "add a flag that includes, such as --text ..."),
        (["point 3,4", "not-point dog:5,6"], "such as --point dog:..."),
    ],
)
def test_an_object_that_is_only_excluded_is_refused_with_the_way_out(flags, says):
    with pytest.raises(PromptError) as caught:
        read_prompts(given(*flags))
    assert says in str(caught.value)


def test_the_way_out_works():
    prompts = read_prompts(given("text it:the dog", "not-point it:5,6"))
    assert {prompt.object for prompt in prompts} == {"it"}


def test_a_prompt_outside_the_photo_is_named_as_it_was_written():
    flags = given("point 3,4", "not-point dog:70,4", "point dog:1,1")
    with pytest.raises(PromptError) as caught:
        check_prompts(flags, read_prompts(flags), (48, 64))
    assert str(caught.value) == (
        "--not-point dog:70,4: point x=70 lies outside the image: expected 0 <= x < 64"
    )
