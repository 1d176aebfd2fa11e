"""The names of components: ``points``, ``points@2``, ``distribution/points``, ``distribution/points@2``."""

import re
from dataclasses import dataclass
from typing import Self

from packaging.utils import canonicalize_name

from seemkit_registry.errors import RegistryError

__all__ = ["Name", "normalise"]

_NAME = re.compile(
    r"(?:(?P<distribution>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?)/)?"
    r"(?P<bare>[A-Za-z0-9_][A-Za-z0-9_-]{0,99})"
    r"(?:@(?P<revision>[1-9][0-9]{0,5}))?"
)


def normalise(distribution: str) -> str:
    """The name of a distribution as PEP 503 compares it: ``Seemkit_Lasso`` is ``seemkit-lasso``."""
    return str(canonicalize_name(distribution))


@dataclass(frozen=True)
class Name:
    """A component's name as somebody wrote it, taken apart.

    Attributes:
        bare: ``points``.
        revision: the number after ``@``; None if none was written.
        distribution: normalised; None if none was written.
    """

    bare: str
    revision: int | None = None
    distribution: str | None = None

    @classmethod
    def parse(cls, text: str, *, kind: str | None = None) -> Self:
        """Take `text` apart; raises :class:`RegistryError` if it is not a component's name."""
        match = _NAME.fullmatch(text)
        if match is None:
            raise RegistryError(
                f"{text!r} is not a component's name: write 'name', 'name@2', 'distribution/name' or "
                "'distribution/name@2' (letters, digits, '_' and '-'), never an import path",
                kind=kind,
                name=text,
            )
        distribution, bare, revision = match["distribution"], match["bare"], match["revision"]
        return cls(
            bare=bare,
            revision=int(revision) if revision else None,
            distribution=normalise(distribution) if distribution else None,
        )

    def __str__(self) -> str:
        head = f"{self.distribution}/" if self.distribution else ""
        tail = f"@{self.revision}" if self.revision else ""
        return f"{head}{self.bare}{tail}"
