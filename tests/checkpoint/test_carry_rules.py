"""What carries over, told from names and shapes: encoders whole, what depends on them with them, the rest alone."""

from seemkit.checkpoint.carry_rules import decide, group, part_label

OWN = {
    "image_encoder.a": (3, 3),
    "image_encoder.b": (4,),
    "pixel_decoder.lateral.0.weight": (8, 3),
    "pixel_decoder.output.0.weight": (8, 8),
    "decoder.layers.0.fc": (8, 8),
    "decoder.layers.1.fc": (8, 8),
    "decoder.queries.object.content": (5, 8),
    "heads.class_proj": (8, 6),
    "prompts.region.sign_embed": (2, 8),
    "prompts.phrase.weight": (8, 6),
    "prompts.conditioning.phrase.weight": (8, 6),
    "prompts.conditioning.region.weight": (8, 8),
    "prompts.acme.sound.weight": (8, 2),
    "prompts.acme.sound.bias": (8,),
    "text_encoder.logit_scale": (),
}


def test_the_same_network_takes_everything() -> None:
    found = decide(OWN, OWN)
    assert set(found.taken) == set(OWN)
    assert not found.untrained
    assert not found.left
    assert not found.foreign


def test_an_encoder_is_whole_or_left_with_what_reads_its_maps() -> None:
    given = {**OWN, "image_encoder.b": (5,)}
    found = decide(OWN, given)
    apart = {"image_encoder.a", "image_encoder.b", "pixel_decoder.lateral.0.weight"}
    assert found.untrained == dict.fromkeys(apart, "of another image encoder")
    assert set(found.left) == apart
    assert "pixel_decoder.output.0.weight" in found.taken
    del given["image_encoder.b"]
    assert set(decide(OWN, given).untrained) == apart
    given = {**OWN, "image_encoder.c": (1,)}
    assert set(decide(OWN, given).untrained) == apart
    assert set(decide(OWN, given).left) == {*apart, "image_encoder.c"}


def test_another_text_encoder_leaves_what_goes_to_its_space() -> None:
    apart = {
        "text_encoder.logit_scale", "heads.class_proj", "prompts.phrase.weight", "prompts.conditioning.phrase.weight",
    }  # fmt: skip
    for found in (decide(OWN, {**OWN, "text_encoder.table": (9, 6)}), decide(OWN, OWN, same_text=False)):
        assert found.untrained == dict.fromkeys(apart, "of another text encoder")
        assert "prompts.conditioning.region.weight" in found.taken


def test_what_a_plugin_brings_itself_is_not_missed() -> None:
    own = {**OWN, "text_encoder.rows": (9, 6)}
    assert decide(own, OWN, stored_elsewhere=("text_encoder.rows",)).untrained == {}
    assert "text_encoder.rows" in decide(own, OWN).untrained


def test_anything_else_goes_by_name_and_shape_each_with_its_reason() -> None:
    given = {name: shape for name, shape in OWN.items() if name != "decoder.layers.1.fc"}
    given |= {
        "decoder.queries.object.content": (7, 8),
        "prompts.guidance.weight": (1, 2),
        "prompts.region.sign_embed": (),
    }
    found = decide(OWN, given)
    assert found.untrained == {
        "decoder.layers.1.fc": "the file has no such parameter",
        "decoder.queries.object.content": "shape 7 x 8 in the file, 5 x 8 expected",
        "prompts.region.sign_embed": "shape one number in the file, 2 x 8 expected",
    }
    assert found.left["prompts.guidance.weight"] == "the assembly has no such parameter"
    assert set(found.left) == {*found.untrained, "prompts.guidance.weight"} - {"decoder.layers.1.fc"}


def test_the_learned_part_of_a_prompt_type_is_whole_or_left() -> None:
    given = {name: shape for name, shape in OWN.items() if name != "prompts.acme.sound.bias"}
    found = decide(OWN, given)
    assert set(found.untrained) == {"prompts.acme.sound.weight", "prompts.acme.sound.bias"}
    assert found.left == {"prompts.acme.sound.weight": "the learned part of 'acme/sound' has changed"}
    without = {name: shape for name, shape in OWN.items() if "acme" not in name}
    assert set(decide(OWN, without).untrained) == {"prompts.acme.sound.weight", "prompts.acme.sound.bias"}


def test_parts_of_plugins_that_are_not_installed_go_along_unless_the_widths_change() -> None:
    own = {name: shape for name, shape in OWN.items() if "acme" not in name}
    assert decide(own, OWN).foreign == ("prompts.acme.sound.weight", "prompts.acme.sound.bias")
    assert decide(own, OWN).left == {}
    wider = {**own, "heads.class_proj": (16, 6)}
    found = decide(wider, OWN)
    assert found.foreign == ()
    assert found.left["prompts.acme.sound.bias"] == "made for other widths"


def test_reports_are_by_part_and_reason() -> None:
    names = ("image_encoder.a.b", "decoder.layers.3.fc.w", "heads.class_proj", "prompts.a.b.c")
    assert [*map(part_label, names)] == ["image_encoder", "decoder.layers.3", "heads.class_proj", "prompts.a"]
    reasons = {
        "decoder.layers.0.a": "x",
        "heads.b": "x",
        "decoder.layers.0.c": "x",
        "decoder.layers.0.d": "y",
    }
    assert list(group(reasons)) == [
        ("decoder.layers.0", "x", ["decoder.layers.0.a", "decoder.layers.0.c"]),
        ("heads.b", "x", ["heads.b"]),
        ("decoder.layers.0", "y", ["decoder.layers.0.d"]),
    ]
