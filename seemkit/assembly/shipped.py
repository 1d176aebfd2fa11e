"""YAML files that seemkit ships under a name: assemblies, recipes, evaluations."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from seemkit.assembly.document import Document, read_file
from seemkit_registry import UnknownComponent, nearest
from seemkit_registry.errors import ConfigurationError, Problem

__all__ = ["SUFFIXES", "Shipped", "is_file_name", "with_name"]

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Shipped:
    """The files of one folder of the package, by name.

    Attributes:
        folder: its name, which is also what the things are called together.
        one: what one of them is called, with its article.
    """

    folder: str
    one: str

    def files(self) -> dict[str, Path]:
        """Each file by the name of its thing."""
        folder = Path(str(resources.files("seemkit") / self.folder))
        return {file.stem: file for file in folder.glob("*.yaml")}

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self.files())

    def open(self, source: str | Path) -> Document:
        """What a name, or the path of a file, stands for.

        Raises:
            UnknownComponent: nothing has this name; with the nearest that has.
            ConfigurationError: the file cannot be read.
        """
        if not is_file_name(source):
            return self.read(str(source))
        path = Path(source)
        if path.suffix not in SUFFIXES:
            problem = Problem("", f"it is not {self.one}: expected a file that ends in .yaml or .yml")
            raise ConfigurationError([problem], source=str(source))
        return with_name(read_file(path), path.stem)

    def read(self, name: str, asked_by: str | None = None) -> Document:
        """The file of a name; `asked_by` is the file that extends it, for the error.

        Raises:
            UnknownComponent: nothing has this name.
            ConfigurationError: the same, where a file asks for it; or the file cannot be read.
        """
        files = self.files()
        if name in files:
            return with_name(read_file(files[name], name), name)
        near = nearest(name, files)
        hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(sorted(files)) or 'none'}"
        message = f"no {self.one.partition(' ')[2]} is named {name!r}; {hint}"
        suggestion = near[0] if near else None
        if asked_by is not None:
            raise ConfigurationError([Problem("extends", message, suggestion)], source=asked_by)
        raise UnknownComponent(message, kind=self.folder, name=name, suggestion=suggestion)


def is_file_name(source: str | Path) -> bool:
    """Whether it is meant as the path of a file, and not as a name."""
    text = str(source)
    return isinstance(source, Path) or text.endswith(SUFFIXES) or "/" in text or "\\" in text


def with_name(document: Document, name: str) -> Document:
    """The document, called `name` unless it says what it is called."""
    document.data.setdefault("name", name)
    return document
