"""What a check of the doctor found."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "State"]

State = Literal["fine", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what was looked for, such as ``plugins``.
        subject: what it was found in: a plugin, a file, an assembly, a library.
        state: ``wrong`` needs a remedy, ``note`` is good to know.
        said: what is the case, without a full stop.
        remedy: the way out, without a full stop; empty if none is needed.
    """

    check: str
    subject: str
    state: State
    said: str
    remedy: str = ""
