"""A hook of the docs site: the reference pages are made anew, of what is installed, whenever the site is built."""

from itertools import groupby
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from seemkit.cli.pages.everything import every_page

PAGES = every_page()


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Append the reference to the navigation, a section a kind."""
    sections: list[Any] = []
    for folder, inside in groupby(PAGES, key=lambda page: page.path.rpartition("/")[0]):
        links = [{page.title: f"reference/{page.path}"} for page in inside]
        sections += [{folder.replace("_", " ").capitalize(): links}] if folder else links
    assert config.nav is not None
    config.nav.append({"Reference": sections})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages themselves."""
    for page in PAGES:
        files.append(File.generated(config, f"reference/{page.path}", content=page.text))
    return files
