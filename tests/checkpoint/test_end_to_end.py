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


FILL = """
import importlib.util, sys, torch
from pathlib import Path
golden = Path(sys.argv[1])
spec = importlib.util.spec_from_file_location("fill", golden / "fill.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
state = {}
for line in (golden.parent / "spec/keys/seem_focalt_unicl_lang_v1.txt").read_text().splitlines():
    key, shape = line.split("\\t")
    sizes = () if shape == "scalar" else tuple(int(n) for n in shape.split(","))
    state[key] = torch.from_numpy(module.fill(key, sizes))
torch.save(state, "seem_focalt_v1.pt")
"""
CONVERT = """
import resource, torch
from seemkit.assembly import load_assembly
from seemkit.checkpoint.convert import convert_checkpoint
assembly = load_assembly("seem-focalt-v1")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
made = convert_checkpoint("seem_focalt_v1.pt", "out.safetensors", assembly)
print(made.parameters, made.values, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
COMPARE = """
import torch, seemkit
from seemkit.checkpoint.keys import to_theirs
theirs = torch.load("seem_focalt_v1.pt", weights_only=True, mmap=True)
ours = seemkit.load("seem-focalt-v1", weights="out.safetensors", device="cpu").network.state_dict()
assert all(torch.equal(x, theirs[to_theirs(k, "focal")]) for k, x in ours.items())
"""


@pytest.mark.slow  # 165 million values
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_a_file_of_the_published_size_is_converted_without_a_second_copy(tmp_path: Path) -> None:
    # names and shapes of the published file, values of the reference numbers
    golden = os.environ.get("SEEMKIT_GOLDEN")
    if not golden:
        pytest.skip("SEEMKIT_GOLDEN does not name the folder of reference numbers")

    def python(code: str) -> str:
        words = [sys.executable, "-c", code, golden]
        return subprocess.run(words, cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True).stdout

    python(FILL)
    parameters, values, kilobytes = map(int, python(CONVERT).split())
    assert parameters == 727  # the list has 729 keys, of which two are buffers
    assert round(values / 1e6, 2) == 164.62  # as counted in the original
    size = (tmp_path / "out.safetensors").stat().st_size
    assert 4 * values < size < 4 * values + 200_000
    assert kilobytes * 1024 < 1.2 * size  # the file as it is mapped
    python(COMPARE)
