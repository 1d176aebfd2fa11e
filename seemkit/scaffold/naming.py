"""From one name to all the names of a project, and why a name cannot be one."""

import keyword
import re
from dataclasses import dataclass

from seemkit.errors import SeemkitError

__all__ = ["LONGEST", "LONGEST_ABOUT", "Naming", "check_about"]

LONGEST = 28
"""Letters of a name; the templates keep their lines short enough for that."""
LONGEST_ABOUT = 60

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True)
class Naming:
    """The names of a project.

    Attributes:
        name: of the component, as it was given: ``eye-gaze``; for a prompt also its type and its flag.
    """

    name: str

    def __post_init__(self) -> None:
        """Refuse what is no name, in one sentence with the nearest that is one.

        Raises:
            SeemkitError: it has other characters, is too long, or is a word of Python.
        """
        name = self.name
        if not _NAME.fullmatch(name):
            near = _mended(name)
            raise _refused(name, "expected lower-case letters and digits, in parts joined by '-'", near)
        if name.startswith(("seemkit-", "seemkit_")):
            near = name.removeprefix("seemkit")[1:]
            raise _refused(name, "'seemkit-' is put before it for the distribution", near)
        if len(name) > LONGEST:
            raise _refused(name, f"it has {len(name)} characters, expected {LONGEST} at most")
        for word in (self.module, self.class_name):
            if keyword.iskeyword(word):
                raise _refused(name, f"{word!r} is a word of Python", f"my-{name}")

    @property
    def module(self) -> str:
        """Of the file: ``eye_gaze``."""
        return self.name.replace("-", "_")

    @property
    def class_name(self) -> str:
        """``EyeGaze``."""
        return "".join(part.capitalize() for part in self.module.split("_"))

    @property
    def distribution(self) -> str:
        """What pip calls it: ``seemkit-eye-gaze``."""
        return f"seemkit-{self.name.replace('_', '-')}"

    @property
    def package(self) -> str:
        """What is imported: ``seemkit_eye_gaze``."""
        return f"seemkit_{self.module}"


def check_about(about: str) -> str:
    """A summary as it goes into docstrings and metadata, without its full stop.

    Raises:
        SeemkitError: it is empty, too long, or of characters that would need quoting.
    """
    said = about.strip().removesuffix(".")
    plain = said.isprintable() and not set(said) & set('"\\$')
    if not said or not plain or len(said) > LONGEST_ABOUT:
        raise SeemkitError(
            f"--about {about[:80]!r} cannot be a summary: expected 1 to {LONGEST_ABOUT} characters on one line, "
            "without double quotes, backslashes and '$'",
            path="--about",
        )
    return said


def _mended(name: str) -> str | None:
    """The nearest name that is one: ``Eye Gaze`` is meant as ``eye-gaze``."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    near = re.sub(r"[^a-z0-9]+", "-", split.lower()).strip("-").lstrip("0123456789-")[:LONGEST].rstrip("-")
    if not near:
        return None
    try:
        return Naming(near).name
    except SeemkitError as error:
        return error.suggestion


def _refused(name: str, why: str, near: str | None = None) -> SeemkitError:
    hint = f"; did you mean {near!r}?" if near else ""
    return SeemkitError(f"{name[:80]!r} cannot be a name: {why}{hint}", path="NAME", suggestion=near)
