"""Concept files come back as they were, need no torch, and are refused in a sentence when damaged."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from seemkit.concept_file import ConceptFile, ConceptRegion, TokenRows
from seemkit.errors import ConceptError

RNG = np.random.default_rng(0)


def rows(count: int) -> TokenRows:
    return TokenRows.in_eight_bits(RNG.normal(size=(count, 16)).astype(np.float32))


def region(include: bool = True, kept: tuple[int, ...] = (2, 3, 4), points: int = 9) -> ConceptRegion:
    anchor = RNG.normal(size=16).astype(np.float32)
    if not include:
        return ConceptRegion(False, anchor)
    counts = tuple(np.array([1] * (k - 1) + [points - k + 1], np.int32) for k in kept)
    return ConceptRegion(True, anchor, tuple(map(rows, kept)), tuple(map(rows, kept)), counts)


CONCEPT = ConceptFile((region(), region(False), region(kept=(1, 1, 2), points=2)), "ab" * 32, "nano", "cat")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return CONCEPT.save(tmp_path / "cat.concept")


def test_it_comes_back_as_it_was(file: Path) -> None:
    back = ConceptFile.load(file)
    assert back.fingerprint == CONCEPT.fingerprint
    assert (back.name, back.assembly, back.weights) == ("cat", "nano", "ab" * 32)
    assert [r.include for r in back.regions] == [True, False, True]
    assert [r.points for r in back.regions] == [9, 0, 2]
    for ours, theirs in zip(CONCEPT.regions, back.regions, strict=True):
        assert np.array_equal(ours.anchor, theirs.anchor)
        for a, b in zip((*ours.content, *ours.offset), (*theirs.content, *theirs.offset), strict=True):
            assert np.array_equal(a.dense(), b.dense())
        assert [c.tolist() for c in ours.counts] == [c.tolist() for c in theirs.counts]
    assert repr(back) == "ConceptFile('cat', 2 regions, 1 that it is not)"


def test_the_fingerprint_is_that_of_the_content_and_not_of_the_name(file: Path) -> None:
    renamed = file.rename(file.with_name("dog.concept"))
    assert ConceptFile.load(renamed).fingerprint == CONCEPT.fingerprint
    assert ConceptFile.load(renamed).name == "dog"
    first, *rest = CONCEPT.regions
    other = replace(first, anchor=first.anchor + 1)
    changed = [
        replace(CONCEPT, weights="cd" * 32),
        replace(CONCEPT, regions=(other, *rest)),
        replace(CONCEPT, regions=(first,)),
        replace(CONCEPT, regions=(*rest[::-1], first)),
    ]
    assert len({each.fingerprint for each in (CONCEPT, *changed)}) == 5


def test_reading_one_loads_no_torch(file: Path) -> None:
    code = (
        f"import sys\nfrom seemkit.prompts import Concept\np = Concept(file={str(file)!r}).settled()\n"
        "p.content_key()\nprint('torch' in sys.modules, len(p.file.regions))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "3"]


def damage(file: Path, about: dict[str, Any] | None = None, **arrays: Any) -> None:
    """Write the file again with other entries; None takes an array away."""
    with safe_open(file, framework="np") as source:
        said = json.loads(source.metadata()["seemkit"])
        held = {name: source.get_tensor(name) for name in source.keys()}  # noqa: SIM118
    held = {name: x for name, x in {**held, **arrays}.items() if x is not None}
    save_file(held, file, metadata={"seemkit": json.dumps({**said, **(about or {})})})


WHOLE = CONCEPT.regions[0].anchor
DAMAGES: dict[str, Any] = {
    "another form": {"about": {"format": "seemkit-scene-2"}},
    "no weights": {"about": {"weights": None}},
    "nothing that includes": {"about": {"include": [False, False, False]}},
    "more signs than regions": {"about": {"include": [True] * 4}},
    "sizes of no region": {"about": {"sizes": [[2, 3, 4], []]}},
    "sizes that are too large": {"about": {"sizes": [[2, 3, 4], [], [1, 1, 9]]}},
    "sizes that are too small": {"about": {"sizes": [[2, 3, 3], [], [1, 1, 2]]}},
    "a size of nothing": {"about": {"sizes": [[2, 3, 0], [], [1, 1, 2]]}},
    "no anchors": {"anchors": None},
    "anchors that are not finite": {"anchors": np.full((3, 16), np.nan, np.float32)},
    "anchors of another width": {"anchors": np.zeros((3, 8), np.float32)},
    "anchors of another type": {"anchors": np.zeros((3, 16), np.float64)},
    "counts below one": {"counts": np.zeros(13, np.int32)},
    "counts that differ": {"counts": np.arange(1, 14, dtype=np.int32)},
    "counts without end": {"counts": np.full(13, 2_000_000, np.int32)},
    "tokens without scale": {"content_scale": None},
    "tokens of another type": {"content": np.zeros((13, 16), np.int16)},
    "an array more": {"extra": np.zeros(3, np.float32)},
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_file_is_refused_in_a_sentence(file: Path, kind: str) -> None:
    damage(file, **DAMAGES[kind])
    with pytest.raises(
        ConceptError, match=r"cat\.concept' is not a whole concept file; save the concept again$"
    ):
        ConceptFile.load(file)


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00" * 99, None])
def test_what_is_no_file_of_ours_is_refused_in_a_sentence(file: Path, content: bytes | None) -> None:
    file.write_bytes(file.read_bytes()[:-20] if content is None else content)
    with pytest.raises(ConceptError, match="is not a whole concept file"):
        ConceptFile.load(file)


def test_a_file_that_is_not_there_is_answered_with_the_nearest(file: Path) -> None:
    with pytest.raises(
        ConceptError, match=r"there is no concept file .*cta\.concept'; did you mean .*cat\.concept'"
    ):
        ConceptFile.load(file.with_name("cta.concept"))
    with pytest.raises(ConceptError, match=r"the concept was not saved: .* there is no directory"):
        CONCEPT.save(file.parent / "none" / "cat.concept")
