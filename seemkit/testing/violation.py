"""What a check says when a plugin does not keep a contract, and when a check does not apply."""

import unittest
from typing import NoReturn

__all__ = ["Fault", "Skipped", "Violation", "demand", "fail", "one_line", "skip"]


class Violation(AssertionError):  # noqa: N818 - a plugin's fault, not the suite's
    """A contract that a plugin does not keep: one sentence with contract, observation and remedy.

    Attributes:
        check: name of the check.
        subject: what was checked, such as ``lasso``.
        observed: what the plugin did.
        mend: what to do about it.
    """

    def __init__(self, contract: str, *, check: str, subject: str, observed: str, mend: str) -> None:
        super().__init__(f"{contract}, but {subject} {observed}; {mend}.")
        self.check = check
        self.subject = subject
        self.observed = observed
        self.mend = mend


class Skipped(unittest.SkipTest):
    """A check that does not apply; its text is the reason. pytest shows it as skipped."""


class Fault(Exception):  # noqa: N818 - never seen outside: it becomes a Violation
    """What a plugin did wrong, as the end of the sentence "the plugin ..."."""


def fail(observed: str) -> NoReturn:
    """End a check: `observed` is what the plugin did, such as ``gave a region of shape (3, 4)``."""
    raise Fault(observed)


def demand(holds: object, observed: str) -> None:
    """End a check with `observed` unless `holds`."""
    if not holds:
        raise Fault(observed)


def skip(reason: str) -> NoReturn:
    """Leave a check out, with the reason."""
    raise Skipped(reason)


def one_line(error: object, longest: int = 300) -> str:
    """An error or text without line breaks, cut to `longest` characters."""
    text = " ".join(str(error).split())
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
