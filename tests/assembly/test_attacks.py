"""Configurations come from strangers: none of these may run code, leave the folder or exhaust the machine."""

import sys
import time

import pytest

from seemkit.assembly import load_assembly
from seemkit_registry.errors import ConfigurationError

BODY = "seemkit: 1\npixel_decoder: fpn\nmask_decoder: seem\ntext_encoder: static\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{base}'] * 9)}]\n"
    for base, name in zip("abcdefgh", "bcdefghi", strict=True)
)

ATTACKS = {
    "python object tag": (
        "backbone: !!python/object/apply:os.system ['touch owned']\n",
        "tags are not allowed",
    ),
    "python name tag": ("backbone: {use: !!python/name:os.system }\n", "tags are not allowed"),
    "python module tag": ("backbone: !!python/module:this\n", "tags are not allowed"),
    "local tag": ("backbone: !include /etc/passwd\n", "tags are not allowed"),
    "standard tag": ("backbone: !!binary aGVsbG8=\n", "tags are not allowed"),
    "dotted path": ("backbone: this.evil\n", "never an import path"),
    "entry point value": ("backbone: 'this:main'\n", "never an import path"),
    "path for a component": ("backbone: {use: ../../evil}\n", "never an import path"),
    "file for a component": ("backbone: ./evil.py\n", "never an import path"),
    "hydra target": ("backbone: {use: timm, _target_: os.system}\n", "no option '_target_'"),
    "python code beside": ("backbone: timm\ncode: import os\n", "there is no field 'code'"),
    "plugin file": ("backbone: timm\nplugins: [evil.py]\n", "there is no field 'plugins'"),
    "alias bomb": (BOMB, "not allowed"),
    "merge key": ("x: &x {use: timm}\nbackbone: {<<: *x}\n", "anchors"),
    "recursive alias": ("backbone: &x [*x]\n", "anchors"),
    "deep nesting": (f"backbone: {'[' * 5000}{']' * 5000}\n", "nested deeper than 12"),
    "deep mappings": (f"backbone: {'{a: ' * 5000}1{'}' * 5000}\n", "nested deeper than 12"),
    "duplicate key": ("backbone: timm\nbackbone: focal\n", "the key occurs twice"),
    "duplicate key within": ("backbone: {use: timm, use: focal}\n", "the key occurs twice"),
    "two documents": ("backbone: timm\n---\nbackbone: focal\n", "more than one document"),
    "not a mapping": ("- backbone\n", "not YAML|not a mapping"),
    "key that is no text": ("backbone: timm\n? [a]\n: b\n", "every key must be a text"),
    "huge number": (f"backbone: {{use: timm, width: {'9' * 100_000}}}\n", "got '9999"),
    "huge exponent": ("backbone: {use: timm, width: 1e999999}\n", "too large"),
    "too large a file": ("backbone: timm\n# " + "x" * 300_000, "larger than 256 KiB"),
    "null byte": ("backbone: 'ti\0mm'\n", "not YAML"),
    "absolute weights": ("backbone: timm\nweights: {file: /etc/x.safetensors}\n", "relative path"),
    "weights above": ("backbone: timm\nweights: {file: ../x.safetensors}\n", r"without '\.', '\.\.'"),
    "weights above within": (
        "backbone: timm\nweights: {file: a/../../x.safetensors}\n",
        r"without '\.', '\.\.'",
    ),
    "weights of a home": ("backbone: timm\nweights: {file: ~/x.safetensors}\n", "relative path"),
    "weights on a drive": ("backbone: timm\nweights: {file: 'C:\\x.safetensors'}\n", "relative path"),
    "weights from a server": (
        "backbone: timm\nweights: {file: 'https://h/x.safetensors'}\n",
        "relative path",
    ),
    "pickled weights": ("backbone: timm\nweights: {file: x.pkl}\n", "ends in .safetensors"),
    "weights hidden by a null": (
        'backbone: timm\nweights: {file: "x.pkl\\0.safetensors"}\n',
        "relative path",
    ),
    "extends above": ("extends: ../outside.yaml\n", r"without '\.', '\.\.'"),
    "extends absolute": ("extends: /etc/outside.yaml\n", "relative path"),
    "extends a url": ("extends: https://h/outside.yaml\n", "relative path"),
    "extends what is no configuration": ("extends: evil.py\n", "no assembly is named"),
    "look-alike of a component": ("backbone: t\u0456mm\n", "never an import path"),  # a Cyrillic i
    "look-alike of a field": ("backbone: timm\nw\u0435ights: {file: x.safetensors}\n", "there is no field"),
    "look-alike of a dot": (
        "backbone: timm\nweights: {file: '\u2024\u2024/x.safetensors'}\n",
        r"without '\.', '\.\.'",
    ),
    "text that runs backwards": (
        'backbone: timm\nweights: {file: "x\\u202Esrotnesafes.exe"}\n',
        "relative path",
    ),
    "environment variable": ("backbone: ${HOME}\n", "not YAML|never an import path|names no component"),
    "environment variable in quotes": ("backbone: '${oc.env:HOME}'\n", "never an import path"),
    "environment variable in a path": (
        "backbone: timm\nweights: {file: '$HOME/x.safetensors', sha256: '${HASH}'}\n",
        r"got '\$\{HASH\}'",
    ),
    "template": ("backbone: {use: timm, width: '{{ 7 * 7 }}'}\n", "expected a valid integer"),
    "huge list": (f"backbone: timm\npreprocess: {{mean: [{'1, ' * 50_000}1]}}\n", "mean"),
    "hexadecimal number": ("backbone: {use: timm, width: 0xffffffff}\n", "expected a valid integer"),
    "null byte in a key": ('backbone: timm\n"we\\0ights": 1\n', "every key must be a text on one line"),
    "null byte in extends": ('extends: "nano\\0.yaml"\n', "relative path"),
    "extends a device": ("extends: /dev/zero.yaml\n", "relative path"),
    "extends itself": ("extends: attack.yaml\n", "extends itself"),
    "extends through a link": ("extends: link.yaml\n", "leads out of the folder"),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a link that leads out of it, as an unpacked archive may bring."""
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "outside.yaml").write_text(BODY + "backbone: timm\n")
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (folder / "evil.py").write_text("open('owned', 'w')\n")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.mark.parametrize(("text", "says"), ATTACKS.values(), ids=ATTACKS.keys())
def test_it_is_refused_at_once_in_a_sentence_and_nothing_happens(registry, folder, text, says):
    is_whole = text.startswith(("- ", "a: &a"))
    (folder / "attack.yaml").write_text(text if is_whole else BODY + text)
    before, start = {*folder.iterdir()}, time.monotonic()
    with pytest.raises(ConfigurationError, match=says) as caught:
        load_assembly(folder / "attack.yaml", registry=registry)
    assert time.monotonic() - start < 60  # nothing hangs, on a busy machine either
    assert len(str(caught.value)) < 2000
    assert len(caught.value.problems) == 1
    assert {*folder.iterdir()} == before
    assert not {"this", "evil"} & set(sys.modules)


def test_the_body_of_the_attacks_is_right_by_itself(registry, folder):
    (folder / "right.yaml").write_text(BODY + "backbone: timm\n")
    assert load_assembly(folder / "right.yaml", registry=registry).backbone.use == "timm"


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00backbone", b"backbone: \xc3\x28\n", b"\x80\x04\x95", b"PK\x03\x04", b"x" * 400_000],
)
def test_bytes_that_are_no_text_are_refused(registry, folder, content):
    (folder / "attack.yaml").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_assembly(folder / "attack.yaml", registry=registry)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"backbone": object()}, "backbone"),
        ({"backbone": {"use": "timm", "model": print}}, "backbone.model"),
        ({"vocabulary": ["a", b"b"]}, "vocabulary[1]"),
        ({"preprocess": {"mean": (1, 2, {3})}}, "preprocess.mean[2]"),
    ],
)
def test_plain_data_holds_no_objects(nano, registry, change, path):
    with pytest.raises(ConfigurationError, match="expected plain data"):
        load_assembly({**nano, **change}, registry=registry)


def test_plain_data_may_not_extend_a_file(nano, registry, folder):
    with pytest.raises(ConfigurationError, match="only a file can extend a file"):
        load_assembly({**nano, "extends": "link.yaml"}, registry=registry)
