"""Which hooks a model has, and what they may do to the pixels of an image."""

from typing import ClassVar

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

import seemkit
from seemkit.api import hookimpl
from seemkit.assembly import Assembly, load_assembly
from seemkit.assembly.explained import explain
from seemkit.assembly.schema import assembly_schema
from seemkit.host import registry
from seemkit.prompts import Point


class Darken:
    """Divides the pixels by a number."""

    class Options(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")
        by: int = 2

    def __init__(self, options: Options) -> None:
        self.options = options

    @classmethod
    def build(cls, options: Options) -> "Darken":
        return cls(options)

    @hookimpl
    def before_encode(self, image):
        return image // self.options.by


class Always:
    """Is there as soon as it is installed."""

    seen: ClassVar[list[str]] = []

    @hookimpl
    def before_encode(self, image):
        Always.seen.append("encode")


@pytest.fixture
def load(plugins, assembly):
    plugins.register("hooks", "darken", Darken)

    def load(*hooks, **rest):
        return seemkit.load({**assembly(), "hooks": list(hooks), **rest}, weights=None, device="cpu")

    return load


def test_hooks_with_options_are_there_if_asked_for_and_others_always(load, plugins):
    assert load().hooks is None
    assert load("darken").hooks.plugins == ["local/darken"]
    plugins.register("hooks", "always", Always)
    assert load().hooks.plugins == ["local/always"]
    assert load("darken", "always").hooks.plugins == ["local/always", "local/darken"]


def test_pixels_are_replaced_before_they_are_encoded(load, photo):
    scene = load({"use": "darken", "by": 4}).encode(photo)
    assert (scene.image == photo // 4).all()
    assert scene.pixels == load().encode(photo // 4).pixels


def test_a_hook_that_changes_the_size_is_named(load, plugins, photo):
    class Crop(Darken):
        @hookimpl
        def before_encode(self, image):
            return image[:40]

    plugins.register("hooks", "crop", Crop)
    with pytest.raises(
        seemkit.SeemkitError, match=r"96 x 40 of an image of 96 x 72 .* \(hooks: local/crop\)"
    ):
        load("crop").segment(photo, Point(x=3, y=3))


def test_a_hook_that_cannot_be_built_is_named(load, plugins):
    class Broken(Darken):
        def __init__(self, options):
            raise RuntimeError("no wires")

    plugins.register("hooks", "broken", Broken)
    with pytest.raises(
        seemkit.SeemkitError, match="'broken' of the plugin 'local' cannot be built: RuntimeError: no"
    ):
        load("broken")


def test_hooks_with_options_need_build(plugins):
    class Half:
        Options = Darken.Options

    with pytest.raises(ValueError, match=r"it has no 'build\(options, ...\)'"):
        plugins.register("hooks", "half", Half)


@pytest.mark.parametrize(
    ("hooks", "says"),
    [
        (["darkn"], r"hooks\[0\]: no hooks component is named 'darkn'; did you mean 'darken'\?"),
        ([{"use": "darken", "bye": 3}], r"hooks\[0\].bye: 'darken' has no option 'bye'; did you mean 'by'\?"),
        (["darken", {"use": "darken", "by": 3}], r"hooks\[1\]: the hook 'darken' is there already"),
        ("darken", r"hooks: got 'darken', expected a list such as \[record\]"),
        ([3], r"hooks\[0\]: got 3, expected the name of one of the hooks"),
    ],
)
def test_wrong_hooks_are_said_with_their_place(load, assembly, hooks, says):
    with pytest.raises(ValueError, match=says):
        load_assembly({**assembly(), "hooks": hooks})


def test_an_assembly_with_hooks_is_written_out_and_loads_again(load, assembly, tmp_path):
    found = load_assembly({**assembly(), "hooks": [{"use": "darken", "by": 3}]})
    assert load_assembly(found.as_dict()).hooks == found.hooks
    text = explain(found, registry())
    assert "hooks: [{use: darken, by: 3}]" in text
    (tmp_path / "a.yaml").write_text(text)
    again: Assembly = load_assembly(tmp_path / "a.yaml")
    assert again.hooks[0].settings == found.hooks[0].settings


def test_an_override_and_an_assembly_over_another_replace_the_list(load):
    assert load_assembly("nano", {"hooks": "[darken]"}).hooks[0].component == "local/darken"
    over = load_assembly({"extends": "nano", "hooks": ["record", "darken"]}, {"hooks": "[record]"})
    assert [hook.use for hook in over.hooks] == ["record"]
    assert load_assembly({"extends": "nano", "hooks": ["record"]}, {"hooks": "null"}).hooks == ()


def test_the_schema_lists_hooks_and_their_options(load):
    jsonschema = pytest.importorskip("jsonschema")
    schema = assembly_schema(registry())
    validate = jsonschema.Draft202012Validator(schema).is_valid
    base = {"seemkit": 1, "extends": "nano"}
    assert validate({**base, "hooks": ["darken", {"use": "record", "path": "a.jsonl"}]})
    assert not validate({**base, "hooks": ["drken"]})
    assert not validate({**base, "hooks": [{"use": "darken", "bye": 1}]})
    assert not validate({**base, "hooks": "darken"})


def test_the_image_that_was_given_stays_as_it_was(load, photo):
    before = np.array(photo)
    load("darken").encode(photo)
    assert (photo == before).all()
