"""Whether the names of a new project are free in this environment."""

from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from seemkit.errors import SeemkitError
from seemkit.host import registry
from seemkit.prompting.read import prompt_types
from seemkit.scaffold.naming import Naming

__all__ = ["check_vacant"]


def check_vacant(kind: str, naming: Naming, flags: Collection[str] = ()) -> None:
    """Refuse names that something installed has already, in one sentence that says what.

    Args:
        kind: of component, such as ``prompts``.
        naming: of the project.
        flags: of commands that take prompts, without dashes; a prompt type needs one for itself.

    Raises:
        SeemkitError: a component of the kind, a prompt type, a flag, a distribution or a package has the name.
    """
    name = naming.name
    for component in registry().components(kind):
        if name in (component.name, component.name.removesuffix("s")):
            raise _taken(
                name, f"{component.qualified} {component.version}".strip() + f" is in {kind} already"
            )
    if kind == "prompts":
        _check_flag(name, flags)
    try:
        found = version(naming.distribution)
    except PackageNotFoundError:
        found = ""
    if found:
        raise _taken(name, f"the distribution {naming.distribution} {found} is installed")
    if find_spec(naming.package) is not None:
        raise _taken(name, f"the package {naming.package} is installed")


def _check_flag(name: str, flags: Collection[str]) -> None:
    if name in prompt_types():
        raise _taken(name, f"there is a prompt type {name!r} already")
    if name in flags:
        raise _taken(name, f"--{name} is a flag of the commands that take prompts")
    if name.startswith(("not-", "not_")):
        raise _taken(name, f"--{name} would exclude a {name[4:]}")


def _taken(name: str, why: str) -> SeemkitError:
    return SeemkitError(f"{name!r} is taken: {why}; choose another name", path="NAME")
