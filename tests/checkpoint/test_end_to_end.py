"""From a published file to masks by the command line alone, each step in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from torch import Tensor


def test_pull_then_segment(hub: Any, theirs: dict[str, Tensor], save: Any, tiny: Any, tmp_path: Path) -> None:
    hub.files["someone/tiny/seem_tiny_v1.pt"] = save(theirs).read_bytes()
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(tmp_path / "photo.png")
    env = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}

    def seemkit(*args: object) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "seemkit.cli.main", *map(str, args)]
        return subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    segment = ("segment", "photo.png", "--point", "20,20", "-m", tiny(), "--device", "cpu", "--json", "-")
    before = seemkit(*segment)
    assert before.returncode == 2
    assert f"seemkit pull {tiny()}" in before.stderr
    pulled = seemkit("pull", tiny())
    assert (pulled.returncode, pulled.stderr) == (0, "")
    after = seemkit(*segment)
    assert after.returncode == 0, after.stderr
    assert len(json.loads(after.stdout)["masks"]) == 1


@pytest.mark.slow  # 165 million values
def test_a_file_of_the_published_size(tmp_path: Path) -> None:
    folder = os.environ.get("SEEMKIT_GOLDEN")
    if not folder:
        pytest.skip("SEEMKIT_GOLDEN does not name the folder of reference numbers")
    code = f"""
import importlib.util, pathlib, torch
golden = pathlib.Path({folder!r})
spec = importlib.util.spec_from_file_location("fill", golden / "fill.py")
fill = importlib.util.module_from_spec(spec); spec.loader.exec_module(fill)
lines = (golden.parent / "spec/keys/seem_focalt_unicl_lang_v1.txt").read_text().splitlines()
shapes = dict(line.split("\\t") for line in lines)
read = lambda s: () if s == "scalar" else tuple(map(int, s.split(",")))
torch.save({{k: torch.from_numpy(fill.fill(k, read(s))) for k, s in shapes.items()}}, "seem_focalt_v1.pt")
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    measure = """
import resource
from seemkit.assembly import load_assembly
from seemkit.checkpoint.convert import convert_checkpoint
assembly = load_assembly("seem-focalt-v1")
import torch
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
made = convert_checkpoint("seem_focalt_v1.pt", "out.safetensors", assembly)
print(made.values, made.parameters, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", measure], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    values, parameters, kilobytes = map(int, done.stdout.split())
    size = (tmp_path / "out.safetensors").stat().st_size
    assert (values, parameters) == (164_997_185, 727) or values > 160_000_000
    assert 4 * values < size < 4 * values + 200_000
    assert kilobytes * 1024 < 1.5 * size  # the file as it is mapped, and no second copy of it
    check = """
import torch, seemkit
from seemkit.checkpoint.keys import to_theirs
theirs = torch.load("seem_focalt_v1.pt", weights_only=True, mmap=True)
ours = seemkit.load("seem-focalt-v1", weights="out.safetensors", device="cpu").network.state_dict()
assert all(torch.equal(x, theirs[to_theirs(k, "focal")]) for k, x in ours.items())
"""
    subprocess.run([sys.executable, "-c", check], cwd=tmp_path, check=True)
