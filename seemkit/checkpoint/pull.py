"""Published weights of an assembly: downloaded, checked, converted, and kept where `seemkit.load` finds them."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from seemkit.assembly.published import name_for_commands
from seemkit.checkpoint.convert import convert_checkpoint, named_variant
from seemkit.checkpoint.download import DownloadError, download, url_of
from seemkit.checkpoint.lock import check_lock
from seemkit.errors import WeightsError
from seemkit.weights import files_of, variant_of

if TYPE_CHECKING:
    from seemkit.assembly import Assembly
    from seemkit.assembly.sections import PublishedSection
    from seemkit_registry import Registry

__all__ = ["pull"]


def pull(
    assembly: Assembly,
    *,
    offline: bool = False,
    force: bool = False,
    say: Callable[[str], None] = lambda step: None,
    registry: Registry | None = None,
) -> Path:
    """The weights file that is made of an assembly's published file; made if it is not there yet.

    Several processes may do so at once: files are written whole or not at all.

    Args:
        assembly: whose `weights` name a published file.
        offline: use no network.
        force: download and convert again.
        say: is told what is going on.
        registry: of components; by default that of the process.

    Raises:
        WeightsError: nothing was published for it, it is not to be had, is another file than at first, or does
            not fit.
    """
    published, target = _published(assembly)
    if target.is_file() and not force:
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(
            f"the cache {str(target.parent)!r} cannot be made: {error.strerror}; SEEMKIT_CACHE names another",
            path="SEEMKIT_CACHE",
        ) from error
    say(f"downloading {published.file} from {published.repo}")
    try:
        found = download(published, offline=offline, again=force)
    except DownloadError as error:
        name = shlex.quote(Path(published.file).name)
        raise DownloadError(
            f"{published.file} could not be downloaded: {error}; by hand: get {url_of(published)} and run "
            f"'seemkit convert {name} --assembly {name_for_commands(assembly)} -o {shlex.quote(str(target))}'",
            path="weights.published",
        ) from error
    _check(published, target, found.sha256)
    say(f"converting {published.file}")
    about = {"repo": published.repo, "revision": published.revision, "source": published.file}
    made = convert_checkpoint(
        found.path, target, assembly, about=about, sha256=found.sha256, registry=registry
    )
    return made.path


def _published(assembly: Assembly) -> tuple[PublishedSection, Path]:
    """What was published for an assembly, and where its weights belong."""
    section, target = assembly.weights, assembly.weights_path()
    if section is None or target is None:
        raise WeightsError(
            f"no weights were published for assembly {assembly.name!r}; give weights of your own, or none for "
            "random ones",
            path="weights",
        )
    if section.file is not None or section.published is None:
        raise WeightsError(
            f"assembly {assembly.name!r} has its weights in {str(target)!r}: there is nothing to download",
            path="weights",
        )
    named, variant = named_variant(section.published.file), variant_of(assembly)
    if variant is not None and named not in (None, files_of(variant)):
        raise WeightsError(
            f"{section.published.file} is named {named}, and assembly {assembly.name!r} computes as {variant}; "
            "download and convert it by hand if that is meant",
            path="weights.published.file",
        )
    return section.published, target


def _check(published: PublishedSection, target: Path, sha256: str) -> None:
    if published.sha256 not in (None, sha256):
        raise WeightsError(
            f"{published.file} is not the file that the assembly records: its SHA-256 is {sha256}, expected "
            f"{published.sha256}",
            path="weights.published.sha256",
        )
    check_lock(target, published.file, sha256)
