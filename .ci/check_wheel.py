"""What the wheel holds: every package and its data, nothing else, and weights of at most 20 MB."""

import sys
import zipfile
from pathlib import Path, PurePosixPath

PACKAGES = (
    "seemkit",
    "seemkit_registry",
    "seemkit_prompts",
    "seemkit_backbones",
    "seemkit_text",
    "seemkit_extras",
    "seemkit_data",
)
DATA = (
    *(f"{package}/py.typed" for package in PACKAGES),
    "seemkit/assemblies/nano.yaml",
    "seemkit/assemblies/nano.safetensors",
    "seemkit_text/minilm-128.safetensors",
    "seemkit/scaffold/templates/project/pyproject.toml.tmpl",
)
SUFFIXES = (".py", ".pyi", ".typed", ".yaml", ".json", ".safetensors", ".tmpl")
MOST_WEIGHTS = 20_000_000


def main(path: Path) -> None:
    """Print sizes, and end with a sentence if something is wrong."""
    with zipfile.ZipFile(path) as wheel:
        sizes = {entry.filename: entry.file_size for entry in wheel.infolist()}
    weights = {name: size for name, size in sizes.items() if name.endswith(".safetensors")}
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, {len(sizes)} files")
    for name, size in sorted(weights.items()):
        print(f"  {name}: {size / 1e6:.1f} MB")
    for name in DATA:
        if name not in sizes:
            sys.exit(f"the wheel lacks {name}")
    for name in sizes:
        top = PurePosixPath(name).parts[0]
        known = top in PACKAGES and name.endswith(SUFFIXES)
        if not known and not top.endswith(".dist-info"):
            sys.exit(f"the wheel holds {name}, which is none of its packages' files")
    total = sum(weights.values())
    if total > MOST_WEIGHTS:
        sys.exit(f"the weights take {total / 1e6:.1f} MB, expected {MOST_WEIGHTS / 1e6:.0f} at most")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
