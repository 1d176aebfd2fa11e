"""A vocabulary as a value: what it takes, what it refuses, and what its content is."""

import copy
import pickle

import pytest

import seemkit
from seemkit.errors import VocabularyError
from seemkit.vocabulary import as_vocabulary, check_vocabulary

FULL = {
    "names": ["sofa", "cat"],
    "synonyms": {"sofa": ["couch", "settee"]},
    "templates": ["a photo of a {}.", "the {}"],
    "background": ["nothing", "clutter"],
}


def test_names_are_stripped_and_kept_once_in_order() -> None:
    assert check_vocabulary(["dog", " cat ", "dog", "Dog"]) == ("dog", "cat", "Dog")
    assert check_vocabulary(name for name in ("a", "b")) == ("a", "b")


def test_it_is_a_sequence_of_its_names() -> None:
    vocabulary = as_vocabulary(FULL)
    assert list(vocabulary) == ["sofa", "cat"]
    assert (len(vocabulary), vocabulary[1], vocabulary.index("cat"), "couch" in vocabulary) == (
        2,
        "cat",
        1,
        False,
    )
    assert vocabulary.words("sofa") == ("sofa", "couch", "settee")
    assert vocabulary.words("cat") == ("cat",)


def test_it_comes_back_from_plain_data_from_pickle_and_from_a_copy() -> None:
    vocabulary = as_vocabulary(FULL)
    assert vocabulary.to_dict() == FULL
    for back in (
        as_vocabulary(vocabulary.to_dict()),
        pickle.loads(pickle.dumps(vocabulary)),  # noqa: S301 - of our own making
        copy.deepcopy(vocabulary),
    ):
        assert back == vocabulary
        assert hash(back) == hash(vocabulary)
    assert as_vocabulary(vocabulary) is vocabulary
    assert not vocabulary.is_plain
    assert as_vocabulary(["cat"]).is_plain
    assert as_vocabulary(["cat"]).to_dict() == {"names": ["cat"]}


def test_nothing_of_it_can_be_changed() -> None:
    vocabulary = as_vocabulary(FULL)
    with pytest.raises(AttributeError):
        vocabulary.names = ("dog",)  # type: ignore[misc]
    with pytest.raises(TypeError):
        vocabulary.synonyms["cat"] = ("kitten",)  # type: ignore[index]


def test_its_content_does_not_depend_on_any_order_but_on_everything_else() -> None:
    turned = {
        "names": ["cat", "sofa"],
        "synonyms": {"sofa": ["settee", "couch"]},
        "templates": FULL["templates"][::-1],  # type: ignore[index]
        "background": ["clutter", "nothing"],
    }
    assert as_vocabulary(turned).content_key() == as_vocabulary(FULL).content_key()
    assert as_vocabulary(turned) != as_vocabulary(FULL)  # their labels come in another order
    changes: list[dict[str, object]] = [
        {"names": ["sofa", "cat", "dog"]},
        {"synonyms": {"sofa": ["couch"]}},
        {"synonyms": {"cat": ["couch", "settee"]}},
        {"templates": ["the {}"]},
        {"templates": None},
        {"background": "nothing"},
    ]
    keys = {as_vocabulary({**FULL, **change}).content_key() for change in changes}
    assert len(keys | {as_vocabulary(FULL).content_key()}) == len(changes) + 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ["cat"]}, "a vocabulary has no field 'name'; did you mean 'names'?"),
        ({"synonyms": {"cat": ["kitten"]}}, "the vocabulary is empty; give at least one name"),
        ({"names": "cat"}, "vocabulary is the one text 'cat'; give a list of names"),
        (
            {"names": ["cat"], "synonyms": ["kitten"]},
            "vocabulary.synonyms is ['kitten'], expected words by name",
        ),
        (
            {"names": ["cat"], "synonyms": {"cta": ["kitten"]}},
            "has 'cta', which is no name of the vocabulary; did you mean 'cat'?",
        ),
        (
            {"names": ["cat"], "synonyms": {"cat": "kitten"}},
            "vocabulary.synonyms.cat is 'kitten', expected a list of words",
        ),
        (
            {"names": ["cat", "dog"], "synonyms": {"cat": ["dog"]}},
            "vocabulary.synonyms.cat has 'dog', which is a word for 'dog' already",
        ),
        (
            {"names": ["cat", "dog"], "synonyms": {"cat": ["pet"], "dog": ["pet"]}},
            "vocabulary.synonyms.dog has 'pet', which is a word for 'cat' already",
        ),
        ({"names": ["cat"], "synonyms": {"cat": [""]}}, "vocabulary.synonyms.cat[0] is '', not a name"),
        ({"names": ["cat"], "templates": []}, "vocabulary.templates is empty, expected a word at least"),
        (
            {"names": ["cat"], "templates": ["the"]},
            "vocabulary.templates[0] is 'the', expected a sentence with {} once",
        ),
        (
            {"names": ["cat"], "templates": ["{} {}"]},
            "vocabulary.templates[0] is '{} {}', expected a sentence with {} once",
        ),
        ({"names": ["cat"], "background": []}, "vocabulary.background is empty"),
        ({"names": ["cat"], "background": [3]}, "vocabulary.background[0] is 3, not a name"),
        (
            {"names": ["a"], "synonyms": {"a": [f"b{i}" for i in range(20_000)]}},
            "the vocabulary has 20001 words; at most 20000",
        ),
    ],
)
def test_what_is_no_vocabulary_is_refused_in_a_sentence(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(VocabularyError) as caught:
        as_vocabulary(fields)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_synonym_that_is_the_name_itself_is_dropped() -> None:
    assert seemkit.Vocabulary(["cat"], synonyms={"cat": ["cat"]}).is_plain
