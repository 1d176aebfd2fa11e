"""What was downloaded under a name stays what it is: its SHA-256 is recorded once and held against it later."""

from __future__ import annotations

from pathlib import Path

from seemkit.errors import SeemkitError, WeightsError
from seemkit.results.atomic import replacing

__all__ = ["check_lock", "lock_path"]


def lock_path(converted: Path) -> Path:
    """The lock beside a converted file; one line, as `sha256sum` writes it."""
    return converted.with_suffix(".sha256")


def check_lock(converted: Path, file: str, sha256: str) -> None:
    """Record the hash of a published file at its first use; later it must be the same.

    Args:
        converted: the weights that are made of it.
        file: its name, as the lock has it.
        sha256: of the published file, in hexadecimal.

    Raises:
        WeightsError: it is another file than the first time.
    """
    lock = lock_path(converted)
    try:
        known = lock.read_text(encoding="ascii").split()[0]
    except FileNotFoundError:
        try:
            with replacing(lock) as stream:
                stream.write(f"{sha256}  {file}\n".encode())
        except SeemkitError as error:
            raise WeightsError(str(error), path=error.path) from error
        return
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise WeightsError(f"the lock {lock} cannot be read; remove it to trust {file} anew") from error
    if known != sha256:
        raise WeightsError(
            f"{file} is not the file that it was at first: its SHA-256 is {sha256}, and {lock} records {known}; "
            "remove that lock if the change is meant",
            path=str(lock),
        )
