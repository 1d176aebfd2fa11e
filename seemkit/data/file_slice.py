"""A file within a file, such as a member of a tar: read when it is needed, and cheap to keep and to pickle."""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path

from seemkit.errors import SeemkitError

__all__ = ["FileSlice", "tar_members"]


@dataclass(frozen=True)
class FileSlice:
    """Bytes `offset` to `offset + size` of a file.

    Attributes:
        path: of the file.
        offset: of the first byte.
        size: how many bytes.
        name: what messages call it; a member's name within its tar.
    """

    path: str
    offset: int
    size: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.name}" if self.name else self.path

    def read(self) -> bytes:
        """The bytes.

        Raises:
            SeemkitError: the file is gone, or shorter than it was.
        """
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                data = file.read(self.size)
        except OSError as error:
            raise SeemkitError(f"'{self}' cannot be read: {error.strerror}", path=str(self)) from error
        if len(data) != self.size:
            raise SeemkitError(
                f"'{self}' has {len(data)} of {self.size} bytes left: the file is cut off, get it again",
                path=str(self),
            )
        return data


def tar_members(
    path: str | PathLike[str], reject: Callable[[str, str], None] | None = None
) -> dict[str, FileSlice]:
    """The regular files of an uncompressed tar by name, in its order; only headers are read.

    A name that occurs twice means the last one, as for tar itself. A tar that is cut off gives what is before.

    Args:
        path: of the tar.
        reject: is told the name of a tar that is cut off, and that it is: it lacks the mark of its end.

    Raises:
        SeemkitError: there is no such file, or it is compressed or no tar.
    """
    file = Path(path)
    if not file.is_file():
        raise SeemkitError(f"there is no tar file {str(file)!r}", path=str(file))
    found: dict[str, FileSlice] = {}
    is_whole = False
    try:
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                if member.isreg() and member.sparse is None:
                    found.pop(member.name, None)
                    found[member.name] = FileSlice(fspath(file), member.offset_data, member.size, member.name)
            is_whole = FileSlice(fspath(file), tar.offset, 512).read() == bytes(512)
    except (tarfile.ReadError, SeemkitError) as error:
        if not found:
            raise SeemkitError(
                f"{str(file)!r} is no tar that can be read in place: expected an uncompressed one",
                path=str(file),
            ) from error
    except OSError as error:
        raise SeemkitError(
            f"{str(file)!r} cannot be read: {error.strerror or error}", path=str(file)
        ) from error
    if reject is not None and not is_whole:
        last = next(reversed(found), None)
        reject(file.name, f"{str(file)!r} is cut off: what comes after {last!r} is missing, get it again")
    return found
