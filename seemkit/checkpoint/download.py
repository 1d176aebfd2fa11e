"""Gets a published file from the Hugging Face Hub; what goes wrong is one sentence with the way by hand."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from seemkit.checkpoint.convert import hash_file
from seemkit.checkpoint.resume import complete_download
from seemkit.errors import WeightsError

if TYPE_CHECKING:
    from seemkit.assembly.sections import PublishedSection

__all__ = ["DownloadError", "Downloaded", "download", "url_of"]

OFFLINE = "it is not here yet, and offline nothing is downloaded"


class DownloadError(WeightsError):
    """A published file that could not be got."""


class Downloaded(NamedTuple):
    """A published file on this machine.

    Attributes:
        path: in the cache of huggingface_hub.
        sha256: of its content, in hexadecimal.
    """

    path: Path
    sha256: str


def download(published: PublishedSection, *, offline: bool = False, again: bool = False) -> Downloaded:
    """The published file, from the cache of huggingface_hub if it is there.

    A download that breaks off is taken up where it stopped, several times, and by the next call. The server is
    that of `HF_ENDPOINT`, the cache that of `HF_HOME`, and `HF_HUB_OFFLINE=1` does what `offline` does.

    Args:
        published: what to get.
        offline: take it from the cache only.
        again: download it even if it is in the cache.

    Raises:
        DownloadError: it is not to be had; the sentence says why.
    """
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    offline = offline or constants.is_offline_mode()
    try:
        done = not offline and complete_download(published, _endpoint(), again=again)
        got = hf_hub_download(
            published.repo,
            published.file,
            revision=published.revision,
            endpoint=_endpoint(),
            local_files_only=offline,
            force_download=again and not offline and not done,
        )
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise DownloadError(OFFLINE if offline else _say(error.__cause__ or error, published)) from error
    except Exception as error:  # of whichever HTTP library this huggingface_hub uses
        raise DownloadError(_say(error.__cause__ or error, published)) from error
    found = Downloaded(Path(got), hash_file(Path(got)))
    _check_whole(found, published)
    return found


def url_of(published: PublishedSection) -> str:
    """Where a browser would get the published file."""
    server = _endpoint() or "https://huggingface.co"
    return f"{server}/{published.repo}/resolve/{published.revision}/{published.file}"


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _say(error: BaseException, published: PublishedSection) -> str:
    """What went wrong with a request, in words."""
    from huggingface_hub.errors import FileMetadataError, HFValidationError

    server = urlsplit(url_of(published)).netloc
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status in (401, 403):
        return (
            f"{server} says that there is no repository {published.repo!r}, or that it is not for everybody "
            f"({status}); log in with 'hf auth login' if it is for you"
        )
    if status == 404:
        return (
            f"{server} has no {published.file!r} at {published.repo!r}, revision {published.revision!r} (404)"
        )
    if status is not None:
        return f"{server} answered with status {status}; try again later"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
        return f"it cannot be stored: {error.strerror}: {error.filename or 'the cache of huggingface_hub'}"
    if isinstance(error, FileMetadataError):
        return f"{server} does not answer as a Hugging Face Hub does; look at HF_ENDPOINT and at proxies"
    if isinstance(error, HFValidationError):
        return f"{published.repo!r} cannot be the name of a repository"
    if "Consistency check failed" in str(error):
        return f"the download from {server} ended too early; try again"
    return f"there is no connection to {server}, or it broke off ({type(error).__name__})"


def _check_whole(found: Downloaded, published: PublishedSection) -> None:
    """Hold a large file against the SHA-256 that the Hub names it by; huggingface_hub looks at its size only.

    The cache names content by what the server calls it, and links to it from the name of the file.
    """
    if not found.path.is_symlink():
        return
    blob = found.path.parent / found.path.readlink()
    if re.fullmatch("[0-9a-f]{64}", blob.name) and blob.name != found.sha256:
        for path in (found.path, blob):
            path.unlink(missing_ok=True)
        raise DownloadError(
            f"what came of {published.file!r} is damaged: its SHA-256 is not the one that the server names; it "
            "was removed, so run the command again"
        )
