"""`seemkit everything`: the vocabulary decides, whatever the weights say."""

import pytest


@pytest.mark.parametrize("task", ["panoptic", "instance", "semantic"])
def test_every_task_gives_json_of_its_own_kind(run, photo, tiny, task):
    ended = run("everything", photo, "--vocabulary", "dog,cat", "--task", task, "--json", "-", *tiny)
    assert ended.code == 0, ended.err
    data = ended.json()
    assert (data["task"], data["vocabulary"]) == (task, ["dog", "cat"])
    assert ("segments" in data) == (task == "panoptic")
    assert ("semantic" in data) == (task == "semantic")
    if task == "semantic":  # every pixel has a name
        assert sum(part["area"] for part in data["semantic"]) == 64 * 48


def test_a_table_is_printed_without_files(run, photo, tiny):
    ended = run("everything", photo, "--vocabulary", "dog,cat", "--task", "semantic", *tiny)
    assert ended.code == 0
    assert ended.out.split()[:2] == ["object", "label"]


def test_an_assembly_without_names_needs_some(run, photo, tiny):
    ended = run("everything", photo, *tiny)
    assert (ended.code, ended.out) == (2, "")
    assert "has no vocabulary of its own; give one, as in --vocabulary dog,cat" in ended.err


def test_stuff_that_is_not_in_the_vocabulary_is_refused_with_the_nearest_name(run, photo, tiny):
    ended = run("everything", photo, "--vocabulary", "dog,grass", "--stuff", "gras", *tiny)
    assert (ended.code, ended.err) == (
        2,
        "seemkit: --stuff 'gras' is not in the vocabulary; did you mean 'grass'?\n",
    )


def test_an_unknown_task_is_refused(run, photo, tiny):
    ended = run("everything", photo, "--task", "pano", *tiny)
    assert ended.code == 2
    assert "'pano' is not one of 'panoptic', 'instance', 'semantic'" in ended.err
