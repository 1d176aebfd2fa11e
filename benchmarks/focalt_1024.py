"""The published network of SEEM with FocalNet-T at 1024 pixels; random weights, whose speed is the same."""

import sys
from pathlib import Path

from seemkit.cli.main import cli

PAGE = Path(__file__).resolve().parents[1] / "docs" / "speed.md"
GROUPS = ["encode", "round", "points", "objects", "vocabulary", "memory"]
SETTING = ["-m", "seem-focalt-v1", "--weights", "none", "--size", "1024", "--repeats", "2"]

if __name__ == "__main__":
    sys.argv[1:] = ["bench", *GROUPS, *SETTING, "--markdown", str(PAGE), *sys.argv[1:]]
    cli.main(prog_name="seemkit")
