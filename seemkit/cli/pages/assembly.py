"""The page of one shipped assembly: written out in full, with every option explained."""

from seemkit.assembly.explained import explain
from seemkit.assembly.load import load_assembly
from seemkit.cli.pages.markdown import Page, code, fence
from seemkit.host import registry

__all__ = ["assembly_page"]


def assembly_page(name: str) -> Page:
    """The page of the assembly `name`."""
    assembly = load_assembly(name)
    summary = assembly.summary or name
    parts = [
        f"# {name}",
        summary,
        f"{code(f'seemkit.load({name!r})')} in Python, {code(f'-m {name}')} on the command line. In full:",
        fence("yaml", explain(assembly, registry())),
    ]
    return Page(f"assemblies/{name}.md", name, summary, "\n\n".join(parts) + "\n")
