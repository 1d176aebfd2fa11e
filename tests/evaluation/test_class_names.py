"""COCO's names as words, and the hundredth of a picture."""

from seemkit.data.hundredth import hundredth
from seemkit.evaluation.class_names import plain_name, plain_names
from seemkit.training.sources import held_out


def test_endings_of_coco_are_left_out() -> None:
    assert [plain_name(n) for n in ("tree-merged", "floor-other-merged", "door-stuff", "wall-brick")] == [
        "tree", "floor", "door", "wall-brick"
    ]  # fmt: skip


def test_names_that_would_be_alike_stay_as_they_are() -> None:
    assert plain_names(["wall-other", "wall-merged", "tree-merged"]) == {
        "wall-other": "wall-other",
        "wall-merged": "wall-merged",
        "tree": "tree-merged",
    }


def test_the_first_15_hundredths_are_the_pictures_that_training_holds_out() -> None:
    for number in range(0, 2000, 7):
        name = f"images/{number:012d}.webp"
        assert (hundredth(name) < 15) == held_out(name, 0.15)
    assert hundredth("000") == hundredth("000.png")
