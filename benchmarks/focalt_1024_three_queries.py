"""The same network with three queries for an object, as v1 draws them; random weights, whose speed is the same."""

import sys
from pathlib import Path

from seemkit.cli.main import cli

PAGE = Path(__file__).resolve().parents[1] / "docs" / "speed.md"
GROUPS = ["points", "objects"]
SETTING = ["-m", "seem-focalt-v1", "--weights", "none", "--size", "1024", "--repeats", "5"]
V1 = ["-s", "mask_decoder.legacy.queries=3"]

if __name__ == "__main__":
    sys.argv[1:] = ["bench", *GROUPS, *SETTING, *V1, "--markdown", str(PAGE), *sys.argv[1:]]
    cli.main(prog_name="seemkit")
