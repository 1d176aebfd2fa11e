"""Names of synsets: lemmas of WordNet 3.0 that ImageNet uses, looked up by hand."""

import pytest

from seemkit.training.names import name_of_synset


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("n02084071_13576", "dog"),
        ("n02958343_1", "car"),
        ("folder/n07747607_20", "orange"),
        ("n03445777_9", "golf ball"),
    ],
)
def test_a_file_name_that_begins_with_a_synset_has_its_first_lemma(key: str, name: str) -> None:
    assert name_of_synset(key) == name


@pytest.mark.parametrize(
    "key", ["sun_brbymiqqcfkijqko", "ILSVRC2012_val_00029787", "n0208407_1", "n99999999_1", ""]
)
def test_other_file_names_have_none(key: str) -> None:
    assert name_of_synset(key) is None
