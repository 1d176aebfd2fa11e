"""The bundled model at the size of its input, with its weights."""

import sys
from pathlib import Path

from seemkit.cli.main import cli

PAGE = Path(__file__).resolve().parents[1] / "docs" / "speed.md"
GROUPS = ["encode", "round", "points", "objects", "vocabulary", "memory"]
SETTING = ["-m", "nano", "--size", "320", "--repeats", "9"]

if __name__ == "__main__":
    sys.argv[1:] = ["bench", *GROUPS, *SETTING, "--markdown", str(PAGE), *sys.argv[1:]]
    cli.main(prog_name="seemkit")
