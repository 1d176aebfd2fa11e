"""Vocabularies are read from text, JSON and YAML, or refused in a sentence that names the file."""

import json
from pathlib import Path

import pytest
import yaml

from seemkit.errors import VocabularyError
from seemkit.vocabulary import Vocabulary
from seemkit.vocabulary_file import read_vocabulary

FULL = Vocabulary(["sofa", "cat"], synonyms={"sofa": ["couch"]}, templates=["the {}"], background=["nothing"])


def test_a_text_file_has_a_name_and_its_synonyms_on_each_line(tmp_path: Path) -> None:
    file = tmp_path / "rooms.txt"
    file.write_text("﻿# what there is\nsofa, couch ,\n\ncat\n  dining table \n", encoding="utf-8")
    assert read_vocabulary(file) == Vocabulary(["sofa", "cat", "dining table"], synonyms={"sofa": ["couch"]})


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_json_and_yaml_hold_names_or_all_fields(tmp_path: Path, suffix: str) -> None:
    for index, data in enumerate((FULL.to_dict(), ["cat", "no", "dining table"])):
        file = tmp_path / f"{index}{suffix}"
        text = json.dumps(data) if suffix == ".json" else yaml.safe_dump(data)
        file.write_text(text, encoding="utf-8")
        assert read_vocabulary(file) == (FULL if index == 0 else Vocabulary(["cat", "no", "dining table"]))


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("room.csv", "", "is named as no vocabulary; expected .txt, .json, .yaml, .yml"),
        ("empty.txt", "# nothing\n", "the vocabulary is empty"),
        ("bad.json", "[", "it is not JSON that can be read"),
        ("bad.yaml", "a: [", "it is not YAML that can be read"),
        ("code.yaml", "!!python/object/apply:os.getcwd []", "tags are not allowed"),
        ("word.json", '"cat"', "vocabulary is the one text 'cat'"),
        ("field.yaml", "names: [cat]\nsynonym: {}", "no field 'synonym'; did you mean 'synonyms'?"),
        ("number.yaml", "[cat, 7]", "vocabulary[1] is 7, not a name"),
    ],
)
def test_a_file_that_holds_none_is_named_in_the_sentence(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(VocabularyError) as caught:
        read_vocabulary(tmp_path / name)
    assert name in str(caught.value)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rooms.txt").write_text("cat")
    with pytest.raises(VocabularyError, match=r"there is no vocabulary file .*; did you mean .*rooms\.txt'"):
        read_vocabulary(tmp_path / "room.txt")
    (tmp_path / "latin.txt").write_bytes("Mädchen".encode("latin-1"))
    with pytest.raises(VocabularyError, match="is not UTF-8 text"):
        read_vocabulary(tmp_path / "latin.txt")
