"""Writing a file whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import IO

from seemkit.errors import SeemkitError

__all__ = ["check_target", "replacing", "replacing_path"]


@contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file beside `path` for writing; it takes the place of `path` once the block has ended well.

    If the block raises, or the disk is full, what was at `path` stays and nothing is left behind.

    Raises:
        SeemkitError: `path` cannot be written, in one sentence.
    """
    with replacing_path(path) as partial, partial.open("w+b") as file:
        yield file


@contextmanager
def replacing_path(path: str | PathLike[str]) -> Iterator[Path]:
    """The same for a writer that wants a path: yields that of an empty file beside `path`.

    Raises:
        SeemkitError: `path` cannot be written, in one sentence.
    """
    target = Path(path)
    if target.is_symlink():
        target = target.resolve()
    check_target(target)
    partial = target.with_name(f".{target.name[:80]}.{secrets.token_hex(6)}.part")
    try:
        descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        os.close(descriptor)
        yield partial
        with partial.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(partial, target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial)


def check_target(target: Path) -> None:
    """Raise :class:`SeemkitError` for a path that no file can be written to, as far as that can be told."""
    if target.is_dir():
        raise SeemkitError(f"{str(target)!r} is a directory: give the name of a file in it", path="path")
    if target.exists() and not target.is_file():
        raise SeemkitError(f"{str(target)!r} is not a regular file, so it is not replaced", path="path")
    if not target.parent.is_dir():
        raise SeemkitError(
            f"{str(target)!r} cannot be written: there is no directory {str(target.parent)!r}", path="path"
        )


def _cannot_write(target: Path, error: OSError) -> SeemkitError:
    reason = error.strerror or str(error) or type(error).__name__
    return SeemkitError(f"{str(target)!r} cannot be written: {reason}", path="path")
