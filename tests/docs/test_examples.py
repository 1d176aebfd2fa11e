"""Every example of the README and the docs runs, on a small photo, with the bundled model.

Python fences of a page run one after another in one namespace, console fences as commands, YAML fences are
loaded and TOML fences read. Without its weights file the bundled model has random weights: what is tested is
that the examples run, not what they find.
"""

import os
import re
import shlex
import shutil
import subprocess
import tomllib
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import skimage.data
import torch
from PIL import Image

import seemkit.pipeline.load
from seemkit.assembly import load_assembly
from seemkit.cli.main import COMMANDS, cli
from seemkit.concepts.make import make_concept
from seemkit.evaluation.config import load_evaluation
from seemkit.host import registry
from seemkit.prompts import Box, Reference
from seemkit.training.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LASSO = ROOT / "plugins/seemkit-lasso/src/seemkit_lasso/lasso.py"
WEIGHTS = ROOT / "seemkit/assemblies/nano.safetensors"
FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
KINDS = {"python", "console", "yaml", "toml", "text"}


class Fence(NamedTuple):
    """One fenced block of a page."""

    page: Path
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def fences(page: Path, *kinds: str) -> list[Fence]:
    text = page.read_text(encoding="utf-8")
    found = [
        Fence(page, text.count("\n", 0, m.start()) + 2, m["kind"], m["text"]) for m in FENCE.finditer(text)
    ]
    return [fence for fence in found if not kinds or fence.kind in kinds]


def commands(*names: str) -> list[tuple[Fence, str]]:
    """Lines of console fences that begin with one of `names`."""
    lines = [
        (fence, line)
        for page in PAGES
        for fence in fences(page, "console")
        for line in fence.text.splitlines()
    ]
    return [(fence, line) for fence, line in lines if line.split()[0] in names]


VOCABULARIES = {  # as docs/vocabularies.md shows them
    name: re.sub(r"^# .*\n", "", fence.text)
    for fence in fences(ROOT / "docs/vocabularies.md", "text")
    for name in re.findall(r"^# (animals\.\w+)$", fence.text, re.MULTILINE)
}
SEEMKIT = [line for _, line in commands("seemkit")]


@pytest.fixture(scope="session")
def concept_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What docs/concepts.md saves, for the commands that find it."""
    torch.manual_seed(0)
    model = seemkit.pipeline.load.load("nano", weights="default" if WEIGHTS.is_file() else None)
    region = Reference(image=skimage.data.chelsea(), prompts=[Box(x1=120, y1=20, x2=340, y2=280)])
    return make_concept(model, region).save(tmp_path_factory.mktemp("concept") / "cat.concept")


@pytest.fixture(scope="session")
def order(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A spoken order; None where nobody speaks or nobody listens."""
    if shutil.which("espeak-ng") is None or not (find_spec("pocketsphinx") and find_spec("soundfile")):
        return None
    path = tmp_path_factory.mktemp("sound") / "order.wav"
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "140", "-w", str(path), "the cat"], check=True)
    return path


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concept_file: Path, order: Path | None
) -> Iterator[Path]:
    """A folder with what the examples name; plugins that they register are gone afterwards."""
    photo = skimage.data.chelsea()  # 300 x 451, in the public domain
    Image.fromarray(photo).save(tmp_path / "photo.jpg")
    Image.fromarray(photo[:, ::-1]).save(tmp_path / "other.jpg")
    shutil.copy(LASSO, tmp_path)
    shutil.copy(concept_file, tmp_path)
    if order is not None:
        shutil.copy(order, tmp_path)
    for part, picture in (("images", photo), ("masks", (photo[..., 0] > 160).astype("uint8") * 255)):
        (tmp_path / "mine" / part).mkdir(parents=True)
        Image.fromarray(picture).save(tmp_path / "mine" / part / "one.png")
    _make_frames(tmp_path, photo)
    for name, text in VOCABULARIES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEMKIT_CACHE", str(tmp_path / "cache"))  # no weights were pulled
    if not WEIGHTS.is_file():
        load = seemkit.pipeline.load.load

        def load_random(*args: Any, **options: Any) -> Any:
            torch.manual_seed(0)  # the same weights every time, as a file would have
            return load(*args, **{**options, "weights": None})

        monkeypatch.setattr(seemkit.pipeline.load, "load", load_random)
    known = {(c.kind, c.versioned) for c in registry().components() if c.distribution == "local"}
    yield tmp_path
    for component in registry().components():
        if component.distribution == "local" and (component.kind, component.versioned) not in known:
            registry().unregister(component.kind, component.versioned)


def _make_frames(folder: Path, photo: Any) -> None:
    """Two small photos, three frames, and the frames as a video."""
    small = [Image.fromarray(photo[:, n : n + 440]).resize((144, 96)) for n in (0, 5, 10)]
    for name, pictures in (("photos", small[:2]), ("frames", small)):
        (folder / name).mkdir(exist_ok=True)
        for n, picture in enumerate(pictures):
            picture.save(folder / name / f"{n}.png")
    try:
        import av
    except ImportError:  # the extra `video`; examples with clip.mp4 then fail, which says so
        return
    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 144, 96, "yuv420p"
        for picture in small:
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())


@pytest.mark.parametrize(
    "page", [page for page in PAGES if fences(page, "python")], ids=lambda page: page.stem
)
def test_python_runs(page: Path, desk: Path) -> None:
    skip_what_cannot_be_heard("".join(fence.text for fence in fences(page, "python")))
    namespace: dict[str, object] = {"__name__": "__main__"}
    for fence in fences(page, "python"):
        code = compile("\n" * (fence.line - 1) + fence.text, str(page), "exec")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # labels of random weights may be anything
            exec(code, namespace)  # noqa: S102 - that is the point


@pytest.mark.parametrize("line", SEEMKIT)
def test_a_command_and_its_flags_exist(line: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, name, *words = shlex.split(line)
    assert name in COMMANDS
    ran = []
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    monkeypatch.setattr(command, "callback", lambda **given: ran.append(given))
    assert run(name, *words) == 0
    assert ran


@pytest.mark.parametrize("line", SEEMKIT)
def test_a_command_runs(line: str, desk: Path) -> None:
    _, name, *words = shlex.split(line)
    skip_what_cannot_be_heard(line)
    if name == "carry" and not WEIGHTS.is_file():
        pytest.skip("there are no weights to carry")
    if not WEIGHTS.is_file() and name in ("segment", "everything", "demo", "concept"):
        words += ["--weights", "none"]
    promised = {
        words[i + 1] for i, word in enumerate(words) if word in ("-o", "--json") and i + 1 < len(words)
    }
    for file in promised:  # that another example needs
        Path(file).unlink(missing_ok=True)
    before = set(os.listdir())
    assert run(name, *words) == 0
    written = set(os.listdir()) - before
    assert {file for file in promised if not file.startswith("-")} <= written


def skip_what_cannot_be_heard(text: str) -> None:
    if "order.wav" in text and not Path("order.wav").exists():
        pytest.skip("nobody speaks or listens: espeak-ng or the extra 'audio' is not installed")


def run(*words: str) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as left:
        cli.main(list(words))
    return int(left.value.code or 0)


YAML = [fence for page in PAGES for fence in fences(page, "yaml")]
EVALUATIONS = [fence for fence in YAML if "\nmeasures:\n" in fence.text]
RECIPES = [fence for fence in YAML if "\nrun:" in fence.text]


@pytest.mark.parametrize("fence", EVALUATIONS, ids=str)
def test_an_evaluation_loads(fence: Fence, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(fence.text, encoding="utf-8")
    config = load_evaluation(tmp_path / "mine.yaml", {"data": str(tmp_path)})
    assert config.measures
    assert config.datasets


@pytest.mark.parametrize("fence", RECIPES, ids=str)
def test_a_recipe_loads(fence: Fence, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(fence.text, encoding="utf-8")
    assert load_recipe(tmp_path / "mine.yaml").sources


@pytest.mark.parametrize("fence", [f for f in YAML if f not in (*EVALUATIONS, *RECIPES)], ids=str)
def test_an_assembly_loads(fence: Fence, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(fence.text, encoding="utf-8")
    assembly = load_assembly(tmp_path / "mine.yaml")
    assert assembly.weights is None  # an example names no file that is not there


@pytest.mark.parametrize("fence", [f for page in PAGES for f in fences(page, "toml")], ids=str)
def test_a_declaration_is_that_of_the_lasso(fence: Fence) -> None:
    lasso = tomllib.loads((ROOT / "plugins/seemkit-lasso/pyproject.toml").read_text(encoding="utf-8"))
    shown = tomllib.loads(fence.text)
    for key, value in shown["project"].items():
        assert lasso["project"][key] == value, key


def test_every_fence_says_what_it_is() -> None:
    assert [str(fence) for page in PAGES for fence in fences(page) if fence.kind not in KINDS] == []


def test_the_lasso_of_the_readme_is_the_plugin() -> None:
    assert LASSO.read_text(encoding="utf-8") in [fence.text for fence in fences(ROOT / "README.md", "python")]
    assert len(LASSO.read_text(encoding="utf-8").splitlines()) < 40


def test_the_first_example_is_eleven_lines() -> None:
    assert len(fences(ROOT / "README.md", "python")[0].text.splitlines()) == 11


def test_the_readme_begins_with_two_commands_and_ci_runs_the_second() -> None:
    first, second = [line for _, line in commands("pip")]
    assert first == "pip install . && seemkit demo"
    assert second == 'pip install -e ".[dev]" && pytest'
    assert f"{{ {second}; }}" in (ROOT / ".ci/run").read_text(encoding="utf-8")
