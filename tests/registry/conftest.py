"""A plugin world of its own for each test: distributions made on the fly in a folder of their own."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from seemkit_registry import Registry

CLASS = '"""Module line."""\n\n\nclass Thing:\n    """What the thing is.\n\n    More.\n    """\n'
"""A well-behaved plugin module; its entry point is ``module:Thing``."""


class World:
    """A folder on ``sys.path`` that distributions are installed into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self,
        distribution: str,
        entry_points: Mapping[str, Mapping[str, str]],
        modules: Mapping[str, str] | None = None,
        *,
        version: str = "1.0",
        requires: Sequence[str] = (),
        extras: Sequence[str] = (),
    ) -> Path:
        """Write what pip would: modules and a dist-info folder, which is returned."""
        files = []
        for module, source in (modules or {}).items():
            path = self.folder / (module.replace(".", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
            files.append(path.relative_to(self.folder).as_posix())
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        metadata = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {version}"]
        metadata += [f"Provides-Extra: {extra}" for extra in extras]
        metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
        (info / "METADATA").write_text("\n".join(metadata) + "\n")
        lines = []
        for group, entries in entry_points.items():
            lines += [f"[seemkit.{group}]", *(f"{name} = {value}" for name, value in entries.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
        return info

    def registry(
        self, *, strict: bool | None = None, host_version: str = "1.2.0", **more: object
    ) -> Registry:
        """A registry that sees the distributions of this folder only."""
        preferences = more.pop("preferences", None)
        assert not more
        return Registry(
            path=[str(self.folder)],
            host_version=host_version,
            strict=strict,
            preferences=preferences,  # type: ignore[arg-type]
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty plugin world; what tests import from it is forgotten again."""
    monkeypatch.delenv("SEEMKIT_STRICT", raising=False)
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield World(folder)
    for name in set(sys.modules) - before:
        origin = str(getattr(sys.modules[name], "__file__", "") or "")
        if origin.startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def thing() -> str:
    """The source of a well-behaved plugin module; its entry point is ``module:Thing``."""
    return CLASS
