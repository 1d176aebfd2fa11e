"""Takes a download up where it stopped, even if it was another process that did: the part that came is kept."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seemkit.assembly.sections import PublishedSection

__all__ = ["complete_download"]


def complete_download(published: PublishedSection, endpoint: str | None, *, again: bool = False) -> bool:
    """Bring what is missing of a published file into the cache of huggingface_hub, from where it stopped.

    huggingface_hub goes on within one process only. Here the part that came lies in the cache as
    ``blobs/FILE.ETAG.incomplete`` until it is whole; it then takes the place that huggingface_hub looks at. A part
    of the file under another ETag is of other content and goes. It comes over plain HTTP, for that can begin
    anywhere. Without metadata nothing is done: huggingface_hub has to find it in its cache, or to say why not.

    Args:
        published: what to get.
        endpoint: the server; None is that of huggingface_hub.
        again: download it even if it is in the cache.

    Returns:
        Whether it is in the cache as the server has it now.

    Raises:
        OSError: it cannot be stored, or ended too early.
        Exception: of whichever HTTP library this huggingface_hub uses.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils import WeakFileLock, build_hf_headers  # type: ignore[attr-defined]

    try:
        url = hf_hub_url(published.repo, published.file, revision=published.revision, endpoint=endpoint)
        found = get_hf_file_metadata(url, endpoint=endpoint)
    except Exception:  # of any kind: huggingface_hub asks once more, and knows what to make of it
        return False
    etag, size = found.etag, found.size
    if size is None or etag is None or found.commit_hash is None or not re.fullmatch(r"\w[\w.-]*", etag):
        return False
    cache, folder = Path(constants.HF_HUB_CACHE), repo_folder_name(repo_id=published.repo, repo_type="model")
    blob, lock = cache / folder / "blobs" / etag, cache / ".locks" / folder / f"{etag}.lock"
    if blob.exists() and not again:  # in a cache that may be read-only
        return True
    for path in (blob, lock):
        path.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(lock):  # the lock that huggingface_hub takes to write this blob
        if blob.exists() and not again:
            return True
        part = _only_part(blob.parent, published.file, etag)
        try:
            with part.open("ab") as stream:
                if stream.tell() > size:
                    stream.truncate(0)
                http_get(
                    url,
                    stream,
                    resume_size=stream.seek(0, 2),
                    headers=build_hf_headers(),
                    expected_size=size,
                    displayed_filename=published.file,
                )
        finally:
            if part.exists() and not part.stat().st_size:
                part.unlink()
        part.replace(blob)
    return True


def _only_part(folder: Path, file: str, etag: str) -> Path:
    """Where the part of a file lies that came so far; parts of what it was before are removed."""
    name = file.replace("/", "--")
    part = folder / f"{name}.{etag}.incomplete"
    for other in folder.glob(f"{glob.escape(name)}.*.incomplete"):
        if other != part:
            other.unlink(missing_ok=True)
    return part
