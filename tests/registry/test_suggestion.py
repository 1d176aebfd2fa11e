"""The nearest right name for a word with a typo."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seemkit_registry import nearest
from seemkit_registry.suggestion import distance

# Components, options and timm models; several are deliberately close to each other.
NAMES = [
    "boxes",
    "davit",
    "dim",
    "dropout",
    "focal",
    "fpn",
    "fused",
    "heads",
    "lasso",
    "layers",
    "masks",
    "memory",
    "model",
    "open_clip",
    "points",
    "polygons",
    "preset",
    "pretrained",
    "priority",
    "queries",
    "reference",
    "sam_vit",
    "scribbles",
    "seem",
    "static",
    "text",
    "timm",
    "unicl",
    "gaze_map",
    "tf_efficientnet_lite0",
    "tf_efficientnet_lite1",
    "convnext_tiny",
    "convnext_small",
    "resnet50",
    "resnet18",
    "swin_tiny",
    "vit_base",
    "mobilenetv3_large_100",
]


def typos(name: str, rng: random.Random) -> list[str]:
    """One of each one-letter error: a letter too many, too few, wrong, or two swapped."""
    at, letter = rng.randrange(len(name)), rng.choice(string.ascii_lowercase)
    swap = rng.randrange(len(name) - 1)
    swapped = name[:swap] + name[swap + 1] + name[swap] + name[swap + 2 :]
    return [
        name[:at] + letter + name[at:],
        name[:at] + name[at + 1 :],
        name[:at] + letter + name[at + 1 :],
        swapped,
    ]


def test_at_least_nine_in_ten_typos_get_the_right_name_first():
    rng = random.Random(0)
    trials = [
        (name, typo) for name in NAMES for _ in range(25) for typo in typos(name, rng) if typo not in NAMES
    ]
    right = sum(nearest(typo, NAMES) == [name] for name, typo in trials)
    assert len(trials) > 3000
    assert right / len(trials) >= 0.9


@given(st.text(max_size=12), st.text(max_size=12))
def test_distance_is_symmetric_and_zero_only_for_equals(a, b):
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) <= max(len(a), len(b))


@pytest.mark.parametrize(
    ("a", "b", "edits"),
    # Textbook values: Damerau's swap counts once, Levenshtein's kitten is 3.
    [("ab", "ba", 1), ("kitten", "sitting", 3), ("", "abc", 3), ("points", "ponits", 1), ("ca", "abc", 3)],
)
def test_distance_counts_edits(a, b, edits):
    assert distance(a, b) == edits


@given(st.lists(st.sampled_from(NAMES), min_size=1, unique=True), st.randoms(), st.text(max_size=10))
def test_the_order_of_candidates_does_not_matter(candidates, rng, word):
    shuffled = list(candidates)
    rng.shuffle(shuffled)
    assert nearest(word, candidates, n=3) == nearest(word, shuffled, n=3)


@pytest.mark.parametrize("word", ["qqqqqq", "", "completely different"])
def test_nothing_is_suggested_for_what_is_far_from_everything(word):
    assert nearest(word, NAMES) == []


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("point", "points"),
        ("POINTS", "points"),
        ("open-clip", "open_clip"),
        ("efficientnet_lite0", "tf_efficientnet_lite0"),
    ],
)
def test_parts_case_and_dashes(word, meant):
    assert nearest(word, NAMES) == [meant]
