"""The reference is made of what is installed, and nothing that can be installed lacks its page or its words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import click
import pytest
import yaml

from seemkit import api
from seemkit.assembly import assembly_names
from seemkit.cli.about_component import describe_component
from seemkit.cli.info import prompt_flags_by_name
from seemkit.cli.main import COMMANDS, cli
from seemkit.cli.pages.command import command_page
from seemkit.cli.pages.component import component_page, component_path
from seemkit.cli.pages.everything import every_page, pages_of
from seemkit.cli.pages.markdown import Page, code, fence, table
from seemkit.host import registry
from seemkit_registry import Component
from seemkit_registry.hooks import HOOKS

ROOT = Path(__file__).resolve().parents[2]
BUILT_IN = [c for c in registry().components() if c.distribution == registry().host]


@pytest.fixture(scope="module")
def pages() -> Mapping[str, Page]:
    return {page.path: page for page in every_page()}


@pytest.mark.parametrize("component", BUILT_IN, ids=lambda c: c.qualified)
def test_every_component_has_a_page_with_every_option_explained(
    component: Component, pages: Mapping[str, Page]
) -> None:
    page = pages[component_path(component)]
    about: dict[str, Any] = describe_component(component, prompt_flags_by_name().get(component.qualified))
    assert page.text.startswith(f"# {component.versioned}\n")
    assert page.summary.endswith((".", ":")), page.summary
    for option in about.get("options", ()):
        assert option["about"], f"{component.qualified}: option {option['name']} has no description"
        assert f"| `{option['name']}` |" in page.text


def commands(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    """A command and those below it."""
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            found += commands(inner, f"{path} {name}")
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_with_every_flag_explained(name: str, pages: Mapping[str, Page]) -> None:
    top = cli.get_command(click.Context(cli), name)
    assert top is not None
    page = pages[f"commands/{name}.md"]
    for path, command in commands(top, f"seemkit {name}"):
        assert path in page.text
        assert command.help
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{path} {option.opts[0]} has no help"
                assert option.opts[-1] in page.text


def test_every_hook_and_assembly_has_its_place(pages: Mapping[str, Page]) -> None:
    assert [hook for hook in HOOKS if f"`{hook}(" not in pages["hooks.md"].text] == []
    for name in assembly_names():
        block = pages[f"assemblies/{name}.md"].text.partition("```yaml\n")[2].partition("```")[0]
        assert yaml.safe_load(block)["name"] == name


def test_every_page_is_reached_from_the_index(pages: Mapping[str, Page]) -> None:
    index = pages["index.md"].text
    assert [path for path in pages if path != "index.md" and f"]({path})" not in index] == []


class Ring(api.SpatialPrompt):
    """Pixels at a distance | from a point."""

    type: Literal["ring-of-docs"] = "ring-of-docs"
    x: float

    def region(self, size: api.Grid) -> api.Region:
        return api.Region(api.draw_clicks([(self.x, 5)], size), self.include)

    @classmethod
    def example(cls) -> Self:
        return cls(x=20)


def test_a_plugin_has_its_page_as_soon_as_it_is_there() -> None:
    registry().register("prompts", "rings", Ring)
    try:
        (component,) = [c for c in registry().components("prompts") if c.name == "rings"]
        (page,) = pages_of([component])
    finally:
        registry().unregister("prompts", "rings")
    assert page.path == "prompts/local-rings.md"
    assert "Pixels at a distance | from a point." in page.text
    assert "--ring-of-docs" in page.text
    assert '"type": "ring-of-docs"' in page.text
    assert (
        '<path class="region-exact" d="M95 20h15v5' in page.text
    )  # 3 x 3 pixels around (20, 5), 5 units each


def test_a_plugin_at_fault_has_a_page_that_says_so() -> None:
    class Broken(Ring):
        """A prompt whose example cannot be made."""

        type: Literal["broken-of-docs"] = "broken-of-docs"  # type: ignore[assignment]

        @classmethod
        def example(cls) -> Self:
            raise ZeroDivisionError

    registry().register("prompts", "broken-of-docs", Broken)
    try:
        (component,) = [c for c in registry().components("prompts") if c.name == "broken-of-docs"]
        (page,) = pages_of([component])
        alone = component_page(component)
    finally:
        registry().unregister("prompts", "broken-of-docs")
    assert "cannot be made (ZeroDivisionError)" in page.text
    assert "<svg" not in page.text
    assert alone.title == "broken-of-docs"


def test_prompt_flags_are_in_the_page_of_the_commands_that_take_them() -> None:
    assert "`--point, --not-point x,y`" in command_page("segment").text


def test_markdown_keeps_what_it_is_given() -> None:
    assert table(["a"], [["x | y\nz"]]) == "| a |\n| --- |\n| x \\| y z |"
    assert code("a`b") == "`` a`b ``"
    assert table(["a"], [[code("FILE|-")]]).endswith("| `FILE\\|-` |")
    assert fence("text", "```\ninner\n```") == "````text\n```\ninner\n```\n````"


def test_one_page_is_printed_and_all_pages_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> str:
        with pytest.raises(SystemExit) as left:
            cli.main(["docs", *words])
        assert left.value.code == 0
        return capsys.readouterr().out

    assert run("point").startswith("# points\n")
    assert run("hooks").startswith("# Hooks\n")
    assert run("segment").startswith("# seemkit segment\n")
    assert "pages" in run("-o", str(tmp_path / "out"))
    assert (tmp_path / "out/index.md").read_text().startswith("# Reference\n")
    assert (tmp_path / "out/prompts/points.md").is_file()


@pytest.mark.parametrize("words", [[], ["point", "-o", "out"], ["piont"]])
def test_a_wrong_request_is_one_sentence(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        cli.main(["docs", *words])
    assert left.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    class Loader(yaml.SafeLoader):
        """Reads tags of mkdocs as text."""

    Loader.add_multi_constructor("!", lambda loader, suffix, node: suffix)
    config = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader)

    def leaves(node: object) -> list[str]:
        if isinstance(node, dict):
            return [leaf for value in node.values() for leaf in leaves(value)]
        return [leaf for each in node for leaf in leaves(each)] if isinstance(node, list) else [str(node)]

    there = sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))
    assert sorted(leaves(config["nav"])) == there


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="the extra docs is not installed")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path / "site"), strict=True))
    assert (tmp_path / "site/reference/prompts/points/index.html").is_file()
