"""Checks of what lies on the disk: caches and their sizes, and weights files that say nothing of their terms."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from seemkit.cache import cache_folder
from seemkit.doctor.apart import Outcome
from seemkit.doctor.finding import Finding
from seemkit.doctor.libraries import told
from seemkit.errors import WeightsError
from seemkit.weights_fit import read_header

__all__ = ["cache_folders", "check_caches", "check_licences"]


VOCABULARIES = "vocabularies"
"""The folder of seemkit's cache that holds embeddings of words, which are no weights."""


def cache_folders() -> dict[str, Path]:
    """The caches that models and libraries fill, by whose they are."""
    home = os.environ.get("HF_HOME")
    hub = os.environ.get("HF_HUB_CACHE") or (
        Path(home) / "hub" if home else _user_cache() / "huggingface" / "hub"
    )
    torch = os.environ.get("TORCH_HOME") or _user_cache() / "torch"
    return {
        "seemkit": cache_folder(),
        "huggingface": Path(hub).expanduser(),
        "torch hub": Path(torch).expanduser() / "hub",
    }


def check_caches(outcomes: Mapping[str, Outcome]) -> Iterator[Finding]:
    """Each cache with its size; `outcomes` are those of the steps ``size:FOLDER``."""
    for name, folder in cache_folders().items():
        outcome = outcomes.get(f"size:{folder}")
        if outcome is None:
            yield Finding("caches", name, "fine", f"{folder} does not exist yet")
        elif outcome.state != "done" or not isinstance(outcome.value, list):
            yield Finding("caches", name, "note", f"{folder} cannot be measured: {told(outcome)}")
        else:
            size, count = outcome.value
            yield Finding(
                "caches", name, "fine", f"{folder}: {int(str(size)) / 1e6:,.1f} MB in {count} files"
            )


def check_licences(licensed: Mapping[Path, str | None], folders: Iterable[Path]) -> Iterator[Finding]:
    """Weights files whose terms nobody records, or that are damaged.

    Args:
        licensed: weights files that assemblies name, with the licence that they record.
        folders: where other weights files may lie.
    """
    files = {
        path: None
        for folder in folders
        for path in sorted(folder.rglob("*.safetensors"))
        if path.parent != folder / VOCABULARIES
    }
    for path, license_ in {**files, **licensed}.items():
        if not path.is_file():
            continue
        try:
            about, _ = read_header(path)
        except WeightsError as error:
            yield Finding(
                "weights", str(path), "wrong", str(error), "fetch or make the file again, or remove it"
            )
            continue
        recorded = license_ or about.get("license")
        if recorded:
            yield Finding("weights", str(path), "fine", f"licence: {recorded}")
        else:
            said = "its terms are not recorded, neither in the file nor in an assembly"
            remedy = "find out its terms and record them as weights.license of the assembly, or remove it"
            yield Finding("weights", str(path), "wrong", said, remedy)


def _user_cache() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    return Path(given).expanduser() if given else Path.home() / ".cache"
