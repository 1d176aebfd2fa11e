"""Names that become names of files."""

import re

from seemkit.evaluation.slug import slug


def test_a_name_with_blanks_and_signs_becomes_a_plain_one_that_stays_unlike_others() -> None:
    made = slug("COCO instances, held-out 15 %-labels")
    assert re.fullmatch(r"COCO_instances_held-out_15_-labels-[0-9a-f]{8}", made)
    assert made != slug("COCO instances held-out 15 %-labels")


def test_a_plain_name_stays_as_it_is() -> None:
    assert slug("mine-clicks_2.5") == "mine-clicks_2.5"
