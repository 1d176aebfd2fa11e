"""The pages hold what they promise: links lead somewhere, and nothing public is without its place."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import seemkit
import seemkit.api
from seemkit.assembly import assembly_names
from seemkit.assembly.assembly import Assembly
from seemkit.cli.main import COMMANDS
from seemkit.evaluation.config import EvalConfig, evaluation_names
from seemkit.evaluation.measures.table import MEASURES
from seemkit.evaluation.protocols import CLICKERS
from seemkit.network.presets import PRESETS
from seemkit.prompting.read import prompt_types
from seemkit_registry.hooks import HOOKS
from seemkit_registry.registry import KINDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        target, _, anchor = match["target"].partition("#")
        if target.startswith(("http://", "https://")):
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), match[0]
        assert path.is_relative_to(ROOT), match[0]
        if anchor:
            assert anchor in anchors(path), match[0]


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.stem)
def test_every_page_is_reached_from_the_readme(page: Path) -> None:
    assert f"({page.relative_to(ROOT).as_posix()})" in read("README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_lines_are_readable_in_a_terminal(page: Path) -> None:
    inside_fence = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        inside_fence ^= line.startswith("```")
        assert inside_fence or line.startswith("|") or len(line) <= 120, f"{page.name}:{number}"


def test_every_command_is_shown() -> None:
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [
        name for name in COMMANDS if f"\nseemkit {name}" not in shown and f"seemkit {name}\n" not in shown
    ] == []


def test_every_built_in_prompt_type_is_in_the_readme() -> None:
    pyproject = tomllib.loads(read("pyproject.toml"))
    classes = [v.partition(":")[2] for v in pyproject["project"]["entry-points"]["seemkit.prompts"].values()]
    readme = read("README.md")
    types = {kind.__name__: name for name, kind in prompt_types().items()}
    for name in classes:
        assert f"`{name}(" in readme, name
        assert f"`--{types[name]} " in readme, name


def test_every_kind_and_hook_has_its_place() -> None:
    for page in ("docs/plugins.md", "docs/contracts.md"):
        assert [kind for kind in KINDS if f"`{kind}`" not in read(page)] == []
    assert [hook for hook in HOOKS if f"`{hook}`" not in read("docs/plugins.md")] == []


def test_every_name_that_a_plugin_imports_is_in_the_contracts() -> None:
    contracts = read("docs/contracts.md")
    assert [name for name in seemkit.api.__all__ if not re.search(rf"[`.]{name}[`(]", contracts)] == []


def test_every_public_name_is_shown() -> None:
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in seemkit.__all__ if not name.startswith("__") and name not in shown] == []


def test_the_rules_of_the_contracts_are_those_of_the_presets() -> None:
    section = read("docs/contracts.md").partition("## Presets")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line[:1] == "|"
    ]
    (_, *columns), _, *body = rows
    named = [re.findall(r"`(\w+)`", column) for column in columns]
    assert sorted(name for names in named for name in names) == sorted(PRESETS)
    for reader, *sources in body:
        for names, cell in zip(named, sources, strict=True):
            for name in names:
                assert PRESETS[name].rules[reader] == set(cell.split(", ")), (name, reader)
    assert {row[0] for row in body} == {reader for preset in PRESETS.values() for reader in preset.rules}


def test_every_parameter_of_nano_has_a_prefix_in_the_contracts() -> None:
    load = pytest.importorskip("seemkit.pipeline.load").load
    section = read("docs/contracts.md").partition("## Parameter names")[2].partition("\n## ")[0]
    prefixes = re.findall(r"`([a-z_]+\.[^`]*)`", "".join(re.findall(r"^\| (.+?) \|", section, re.MULTILINE)))
    patterns = [re.escape(prefix).replace(r"\{i\}", r"\d+") for prefix in prefixes if "<" not in prefix]
    names = list(load("nano", weights=None).network.state_dict())
    assert [name for name in names if not any(re.match(pattern, name) for pattern in patterns)] == []
    assert [p for p in patterns if not any(re.match(p, name) for name in names)] == []


def test_every_assembly_and_field_is_explained() -> None:
    page = read("docs/assemblies.md")
    assert [name for name in assembly_names() if f"`{name}`" not in page] == []
    fields = set(Assembly.model_fields) - {"name", "summary"}
    assert [field for field in sorted(fields) if f"`{field}`" not in page] == []


def test_every_evaluation_measure_and_option_is_explained() -> None:
    page = read("docs/evaluation.md")
    assert [name for name in evaluation_names() if f"| `{name}` |" not in page] == []
    assert [name for name in MEASURES if f"`{name}`" not in page] == []
    assert [name for name in CLICKERS if f"| `{name}` |" not in page] == []
    fields = set(EvalConfig.model_fields) - {"name", "summary"}
    fields |= {name for measure in MEASURES.values() for name in measure.model_fields} - INNER
    assert [name for name in sorted(fields) if f"`{name}" not in page and f"{name}:" not in page] == []


INNER = {"smallest", "shown", "thresholds", "draws", "most", "masks", "overlap"}
"""Options whose description in the schema says enough."""


def test_the_model_card_says_what_the_assembly_says() -> None:
    card, nano = read("docs/models/nano.md"), yaml.safe_load(read("seemkit/assemblies/nano.yaml"))
    decoder = nano["mask_decoder"]
    for said in (
        f"`{nano['backbone']['model']}`",
        f"{nano['pixel_decoder']['dim']} channels",
        f"{decoder['layers']} layers",
        f"{decoder['queries']} object queries",
        f"{decoder['candidates']} candidates",
        f"{decoder['memory_rows']} memory rows",
        f"at most {nano['preprocess']['long']} pixels",
    ):
        assert said in card, said
