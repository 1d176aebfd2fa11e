"""The names that others build on, and what importing them costs."""

import inspect
import subprocess
import sys

import pytest

import seemkit
import seemkit.api

PUBLIC = [
    "Assembly", "Draws", "Model", "Result", "Scene", "SeemkitError", "Session", "Vocabulary", "__version__",
    "load", "register", "replay",
]  # fmt: skip
METHODS = {
    "encode", "encode_many", "everything", "label", "prepare", "replaying", "segment", "segment_many",
    "session", "track",
}  # fmt: skip


def fresh(code: str) -> str:
    """What a new process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


HEAVY = "print(sorted({m.partition('.')[0] for m in sys.modules} & {'torch', 'timm', 'open_clip', 'torchvision'}))"


@pytest.mark.parametrize(
    "imports",
    [
        "import seemkit",
        "import seemkit.api",
        "from seemkit.prompts import Point; Point(x=1, y=2)",
        "from seemkit.prompts import Audio, Box, Concept, Mask, Memory, Polygon, Reference, Scribble, Text",
        "from seemkit import Assembly, Result, SeemkitError, Vocabulary, register",
        "import seemkit; dir(seemkit); seemkit.__version__",
    ],
)
def test_importing_loads_no_torch(imports: str) -> None:
    assert fresh(f"import sys\n{imports}\n{HEAVY}") == "[]"


def test_importing_the_interface_of_plugins_loads_no_image_library() -> None:
    code = HEAVY.replace("{'torch'", "{'PIL', 'scipy', 'yaml', 'torch'")
    code = f"import sys, seemkit.api\n{code}"
    assert fresh(code) == "[]"
    assert fresh(
        "from seemkit.api import Result, read_labels; print(Result.__name__, read_labels.__name__)"
    ) == ("Result read_labels")
    with pytest.raises(AttributeError, match=r"module 'seemkit.api' has no attribute 'Resul'"):
        seemkit.api.Resul


def test_importing_seemkit_loads_no_plugin() -> None:
    code = "import sys, seemkit\nprint([m for m in sys.modules if m.startswith('seemkit_')])"
    assert fresh(code) == "[]"


def test_the_public_names_are_these() -> None:
    assert sorted(seemkit.__all__) == sorted(PUBLIC)
    assert dir(seemkit) == sorted(PUBLIC)
    for name in PUBLIC:
        assert getattr(seemkit, name) is not None
    with pytest.raises(AttributeError, match="module 'seemkit' has no attribute 'Modell'"):
        seemkit.Modell


def test_every_public_name_is_in_all_or_private() -> None:
    known = {*PUBLIC, "annotations"}
    own = {
        name
        for name, value in vars(seemkit).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and name not in ("TYPE_CHECKING", "import_module")
    }
    assert own <= known


def test_the_methods_of_a_model_are_these() -> None:
    methods = {
        name for name, _ in inspect.getmembers(seemkit.Model, inspect.isfunction) if not name.startswith("_")
    }
    assert methods == METHODS


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        ("load", "assembly device weights overrides allow_untrained registry"),
        ("replay", "log image model assets"),
        ("register", "component kind name"),
    ],
)
def test_the_parameters_of_functions_are_these(function: str, parameters: str) -> None:
    assert list(inspect.signature(getattr(seemkit, function)).parameters) == parameters.split()


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("encode", "image"),
        ("encode_many", "images batch"),
        ("segment", "image prompts vocabulary select memory"),
        ("segment_many", "requests vocabulary select"),
        ("everything", "image vocabulary task stuff thresholds"),
        ("session", "image vocabulary"),
        ("track", "frames objects vocabulary memory"),
    ],
)
def test_the_parameters_of_methods_are_these(method: str, parameters: str) -> None:
    found = list(inspect.signature(getattr(seemkit.Model, method)).parameters)
    assert found == ["self", *parameters.split()]
