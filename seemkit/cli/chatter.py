"""What plugins and libraries print while they load and run: it never mixes with the output of a command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

__all__ = ["chatter_aside"]


@contextmanager
def chatter_aside() -> Iterator[None]:
    """Send what is printed in the block to standard error; standard output is for the command itself."""
    with redirect_stdout(sys.stderr):
        yield
