"""Faults are seeded into a world of installed plugins, and the doctor, run once as a process, finds each of them.

The world is a folder on PYTHONPATH with distributions as pip and editable installs leave them, a cache of its own, and
an assembly of a user.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

LIMIT = 2
PROMPT = '''
from typing import Literal
from seemkit import api


class Good(api.SpatialPrompt):
    """A prompt type."""

    type: Literal["{name}"] = "{name}"

    def region(self, size: api.Grid) -> api.Region:
        raise NotImplementedError
'''


class World:
    """A folder that distributions are installed into."""

    def __init__(self, folder: Path) -> None:
        self.site = folder / "site"
        self.site.mkdir()

    def install(
        self,
        name: str,
        module: str | None,
        *,
        metadata: Sequence[str] = (),
        value: str = "",
        editable: Path | None = None,
    ) -> Path:
        """A distribution with one prompt type of its own name, behind the module `seeded_<name>`."""
        stem = f"seeded_{name.replace('-', '_')}"
        if module is not None:
            (self.site / f"{stem}.py").write_text(module)
        info = self.site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *metadata, ""]
        (info / "METADATA").write_text("\n".join(lines))
        entry = f"{name.replace('-', '_')} = {value or f'{stem}:Good'}"
        (info / "entry_points.txt").write_text(f"[seemkit.prompts]\n{entry}\n")
        if editable is not None:
            url = {"url": editable.as_uri(), "dir_info": {"editable": True}}
            (info / "direct_url.json").write_text(json.dumps(url))
        return info


def seed(folder: Path) -> dict[str, str]:
    """Make the world; returns what to put over the environment."""
    world = World(folder)
    world.install("good", PROMPT.format(name="good"))
    world.install("raises", "raise RuntimeError('no driver')\n")
    world.install(
        "lacks-library",
        "import no_such_module_xyz\n",
        metadata=["Provides-Extra: audio", 'Requires-Dist: no-such-module-xyz; extra == "audio"'],
    )
    world.install("hangs", "import time\ntime.sleep(600)\n")
    world.install("crashes", "import os\nos.kill(os.getpid(), 11)\n")
    world.install("leaves", "import os\nos._exit(3)\n")
    world.install("ends", "raise SystemExit(4)\n")
    world.install("needs-newer", PROMPT.format(name="newer"), metadata=["Requires-Dist: seemkit>=99"])
    world.install("module-gone", None)
    world.install(
        "lacks-requirement",
        PROMPT.format(name="lacks"),
        metadata=["Requires-Dist: no-such-distribution-xyz>=2"],
    )
    broken = world.install("broken-metadata", PROMPT.format(name="broken"))
    (broken / "METADATA").write_text("Metadata-Version: 2.1\n")
    world.install("rival", PROMPT.format(name="rival"))
    rival = world.site / "rival-1.0.dist-info" / "entry_points.txt"
    rival.write_text("[seemkit.prompts]\npoints = seeded_rival:Good\n")
    source = folder / "source of stale"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[project]\nname = "stale"\nversion = "1.0"\n'
        '[project.entry-points."seemkit.prompts"]\nstale = "seeded_stale:Good"\nadded = "seeded_stale:Good"\n'
    )
    world.install("stale", PROMPT.format(name="stale"), editable=source)
    vision = world.site / "torchvision"
    vision.mkdir()
    (vision / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    cache = folder / "cache"
    cache.mkdir()
    weight = {"x": np.zeros(3, np.float32)}
    save_file(weight, cache / "unknown terms.safetensors", {"seemkit": json.dumps({"recipe": "?"})})
    save_file(weight, cache / "known terms.safetensors", {"seemkit": json.dumps({"license": "CC0"})})
    (cache / "damaged.safetensors").write_bytes(b"\x08\x00")
    (cache / "vocabularies").mkdir()
    save_file(weight, cache / "vocabularies/words.safetensors", {})
    nano = {"use": "gone", "width": 3}
    mine = {"seemkit": 1, "extends": "nano", "backbone": nano, "weights": {"file": "not-there.safetensors"}}
    (folder / "mine.yaml").write_text(json.dumps(mine))
    (folder / "qualified.yaml").write_text(json.dumps({**mine, "backbone": "seemkit-gone/gone"}))
    return {"PYTHONPATH": str(world.site), "SEEMKIT_CACHE": str(cache)}


@dataclass(frozen=True)
class Examined:
    """What the doctor printed."""

    code: int
    findings: list[dict[str, str]]

    def of(self, check: str, subject: str) -> dict[str, str]:
        """The finding about a subject, which there is one of."""
        (found,) = [f for f in self.findings if f["check"] == check and f["subject"].endswith(subject)]
        return found


def examine(folder: Path, env: Mapping[str, str], *words: str) -> Examined:
    done = subprocess.run(
        [sys.executable, "-m", "seemkit.cli.main", "doctor", "--json", "--limit", str(LIMIT), *words],
        env={**os.environ, **env},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return Examined(done.returncode, json.loads(done.stdout)["findings"])


@pytest.fixture(scope="module")
def examined(tmp_path_factory: Any) -> Examined:
    folder = tmp_path_factory.mktemp("world")
    return examine(folder, seed(folder), "mine.yaml", "qualified.yaml")


FAULTS = {
    "an import that raises": ("plugins", "raises", "RuntimeError: no driver", "pip uninstall raises"),
    "a missing library": ("plugins", "lacks-library", "'no_such_module_xyz'", 'pip install "lacks-library[audio]"'),
    "an import that hangs": (
        "plugins", "hangs", f"did not come to an end within {LIMIT} s (importing prompts hangs)", "pip uninstall hangs",
    ),
    "an import that crashes": ("plugins", "crashes", "ends the process by SIGSEGV", "pip uninstall crashes"),
    "an import that leaves": ("plugins", "leaves", "ends the process with exit code 3", "pip uninstall leaves"),
    "an import that exits": ("plugins", "ends", "tried to end the program (SystemExit: 4)", "pip uninstall ends"),
    "a range of seemkit": ("plugins", "needs-newer", "asks for seemkit>=99", "pip install --upgrade needs-newer"),
    "broken metadata": ("plugins", "broken-metadata", "metadata cannot be read", "--force-reinstall broken-metadata"),
    "a module that is gone": ("metadata", "module-gone", "'seeded_module_gone', of which there is no file", "pip"),
    "stale entry points": ("metadata", "stale", "entry points than were installed: prompts 'added'", "pip install -e"),
    "a missing requirement": (
        "requirements", "lacks-requirement", "no-such-distribution-xyz>=2", 'pip install "no-such-distribution-xyz>=2"',
    ),
    "torchvision without operators": (
        "libraries", "torchvision", "are missing (RuntimeError: operator torchvision::nms does not exist)",
        'pip install --force-reinstall "torch==',
    ),
    "weights without a licence": ("weights", "unknown terms.safetensors", "terms are not recorded", "weights.license"),
    "damaged weights": ("weights", "damaged.safetensors", "not a whole safetensors file", "fetch or make"),
    "an assembly whose plugin is gone": ("assemblies", "mine.yaml", "no backbones component is named 'gone'", ""),
    "an assembly whose distribution is gone": (
        "assemblies", "qualified.yaml", "pip install --upgrade seemkit-gone", "install what it names",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("check", "subject", "said", "remedy"), FAULTS.values(), ids=FAULTS.keys())
def test_a_seeded_fault_is_found_and_a_way_out_is_named(
    examined: Examined, check: str, subject: str, said: str, remedy: str
) -> None:
    found = examined.of(check, subject)
    assert found["state"] == "wrong"
    assert said in found["said"]
    assert remedy in found["remedy"]
    assert "\n" not in found["said"]


def test_faults_do_not_hide_what_is_right(examined: Examined) -> None:
    assert examined.code == 1
    assert examined.of("plugins", "good")["state"] == "fine"
    assert examined.of("weights", "/known terms.safetensors")["state"] == "fine"
    assert examined.of("versions", "python")["state"] == "fine"
    assert "MB in 4 files" in examined.of("caches", "seemkit")["said"]


def test_a_name_that_two_distributions_provide_is_a_note(examined: Examined) -> None:
    (found,) = [f for f in examined.findings if f["check"] == "plugins" and f["state"] == "note"]
    assert "rival and seemkit both provide prompts 'points'" in found["said"]
    assert "write rival/points or seemkit/points" in found["remedy"]


def test_metadata_that_keeps_torch_from_being_imported_is_named(tmp_path: Path) -> None:
    """Libraries read the entry points of all distributions too, and do not get over bytes that are no text."""
    world = World(tmp_path)
    info = world.install("broken-bytes", PROMPT.format(name="broken"))
    (info / "entry_points.txt").write_bytes(b"[seemkit.prompts]\nbroken = \xff\xfe\n")
    found = examine(tmp_path, {"PYTHONPATH": str(world.site)})
    assert found.code == 1
    assert "metadata cannot be read (UnicodeDecodeError" in found.of("plugins", "broken-bytes")["said"]
    assert "remove it" in found.of("plugins", "broken-bytes")["remedy"]


def test_nothing_is_wrong_with_what_is_installed_here(tmp_path: Path) -> None:
    found = examine(tmp_path, {"SEEMKIT_CACHE": str(tmp_path / "none")})
    wrong = [f for f in found.findings if f["state"] == "wrong"]
    own = (
        "libraries",
        "assemblies",
        "weights",
    )  # other plugins, drivers and installs are this machine's affair
    assert [
        f for f in wrong if f["check"] in own or (f["check"], f["subject"]) == ("plugins", "seemkit")
    ] == []
    assert found.code == bool(wrong)
    assert {f["check"] for f in found.findings} >= {
        "versions",
        "cuda",
        "plugins",
        "assemblies",
        "caches",
        "weights",
    }
    assert {f["subject"] for f in found.findings if f["check"] == "assemblies"} >= {"nano", "seem-focalt-v1"}
