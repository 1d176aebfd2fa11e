"""All reference pages, and the page that leads to them."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from seemkit.assembly.load import assembly_names
from seemkit.cli.info import prompt_flags_by_name
from seemkit.cli.main import COMMANDS
from seemkit.cli.pages.assembly import assembly_page
from seemkit.cli.pages.command import command_page
from seemkit.cli.pages.component import component_page
from seemkit.cli.pages.hooks import hooks_page
from seemkit.cli.pages.markdown import Page, table
from seemkit.host import registry
from seemkit_registry import Component

__all__ = ["every_page", "pages_of"]


def every_page() -> list[Page]:
    """The pages of all components, commands, assemblies and hooks there are, and an index in front."""
    pages = pages_of(registry().components())
    pages += [command_page(name) for name in COMMANDS]
    pages += [assembly_page(name) for name in assembly_names()]
    pages.append(hooks_page())
    return [_index(pages), *pages]


def pages_of(components: Iterable[Component]) -> list[Page]:
    """The page of each component; the highest revision of a name has one, as the others load through it."""
    flags = prompt_flags_by_name()
    return [component_page(component, flags.get(component.qualified)) for component in components]


def _index(pages: Sequence[Page]) -> Page:
    parts = [
        "# Reference",
        "Made of what is installed; every page is written from the code that it describes.",
    ]
    for folder, inside in groupby(pages, key=lambda page: page.path.rpartition("/")[0]):
        parts.append(f"## {folder.replace('_', ' ').capitalize() or 'More'}")
        parts.append(table(["name", "what it is"], [[f"[{p.title}]({p.path})", p.summary] for p in inside]))
    return Page("index.md", "Reference", "all pages of the reference", "\n\n".join(parts) + "\n")
