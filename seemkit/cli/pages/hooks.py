"""The page of hooks: the moments at which a hook plugin is called."""

import inspect

from seemkit.cli.pages.markdown import Page, code, table
from seemkit_registry.hooks import HOOKS, HookSpecs

__all__ = ["hooks_page"]

SUMMARY = "the moments at which a hook plugin may look at, or replace, what passes by"


def hooks_page() -> Page:
    """One row a hook: what it is given, and when."""
    rows = []
    for name in HOOKS:
        hook = getattr(HookSpecs, name)
        (_, argument) = inspect.signature(hook).parameters
        rows.append([code(f"{name}({argument})"), inspect.getdoc(hook) or ""])
    text = "\n\n".join(
        [
            "# Hooks",
            "A hook plugin is a class with some of these methods, each marked with `@api.hookimpl`. What a "
            "method returns replaces what it was given; None leaves it as it is.",
            table(["hook", "what it is given"], rows),
        ]
    )
    return Page("hooks.md", "Hooks", SUMMARY, text + "\n")
