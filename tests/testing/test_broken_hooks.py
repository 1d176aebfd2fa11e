"""For every check of hooks a plugin that breaks it, and, but for what is named, breaks no other."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pytest

from seemkit.api import hookimpl
from seemkit.testing import HooksContract, check_hooks


class Sound:
    """Hooks that keep the contract."""

    @hookimpl
    def before_decode(self, round: Any) -> Any:  # noqa: A002
        return list(round)

    @hookimpl
    def after_predict(self, result: Any) -> Any:
        return dataclasses.replace(result, scores=result.scores)


class Misspelt:
    """Hooks with a hook that is none."""

    @hookimpl
    def after_predikt(self, result: Any) -> None: ...


class Idle:
    """Hooks without a hook."""


class Needy(Sound):
    """Hooks that cannot be made."""

    def __init__(self, folder: str) -> None: ...


class Silent:
    __doc__ = None

    @hookimpl
    def after_predict(self, result: Any) -> None: ...


class Confused:
    """Hooks that give another thing than they got."""

    @hookimpl
    def after_predict(self, result: Any) -> Any:
        return result.masks


class Fragile:
    """Hooks that raise."""

    @hookimpl
    def after_encode(self, scene: Any) -> None:
        raise KeyError("depth")


class Rude:
    """Hooks that change what they are given."""

    @hookimpl
    def before_decode(self, round: Any) -> None:  # noqa: A002
        round.append(round[0])


class Rough:
    """Hooks that change a scene in place."""

    @hookimpl
    def after_encode(self, scene: Any) -> None:
        scene.fine.mul_(2)


class Hopeful:
    """Hooks that expect a mask."""

    @hookimpl
    def after_predict(self, result: Any) -> None:
        assert result.scores[0] >= 0


class Greedy:
    """Hooks that keep nothing of an answer."""

    @hookimpl
    def after_predict(self, result: Any) -> Any:
        return type(result)(np.zeros((0, *result.size), bool), np.zeros(0, np.float32))


class Picky:
    """Hooks that let nothing through."""

    @hookimpl
    def before_decode(self, round: Any) -> Any:  # noqa: A002
        return []


EVERY_CALL = {
    "test_its_hooks_are_known",
    "test_each_hook_returns_what_it_was_given",
    "test_values_are_left_as_they_are",
    "test_a_result_without_masks_passes",
    "test_a_model_works_with_them",
}
CALLED = {
    "test_each_hook_returns_what_it_was_given",
    "test_values_are_left_as_they_are",
    "test_a_model_works_with_them",
}


class Break(NamedTuple):
    """A broken plugin, the check that it fails, those that fail with it, and a word of the sentence."""

    hooks: Any
    check: str
    too: set[str]
    says: str


BROKEN = [
    Break(Misspelt, "test_its_hooks_are_known", EVERY_CALL, "did it mean 'after_predict'"),
    Break(Idle, "test_its_hooks_are_known", EVERY_CALL, "it implements no hook"),
    Break(Needy, "test_its_hooks_are_known", EVERY_CALL, "its hooks cannot be read"),
    Break(Silent, "test_it_is_described", set(), "has the summary ''"),
    Break(
        Confused,
        "test_each_hook_returns_what_it_was_given",
        {*CALLED, "test_a_result_without_masks_passes"},
        "returned ndarray instead of Result or None",
    ),
    Break(Fragile, "test_each_hook_returns_what_it_was_given", CALLED, "raised KeyError: 'depth'"),
    Break(Rude, "test_values_are_left_as_they_are", set(), "changed what before_decode was given"),
    Break(Rough, "test_values_are_left_as_they_are", set(), "changed what after_encode was given"),
    Break(Hopeful, "test_a_result_without_masks_passes", set(), "raised IndexError"),
    Break(Greedy, "test_a_model_works_with_them", set(), "left 0 masks where 1 was asked for"),
    Break(Picky, "test_a_model_works_with_them", set(), "led to"),
]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.hooks.__name__)
def test_a_broken_plugin_fails_its_check_in_a_sentence(case: Break) -> None:
    report = check_hooks(case.hooks)
    failed = {each.name: each.reason for each in report.failed}
    assert case.check in failed, report
    assert set(failed) <= {case.check} | case.too, report
    assert f", but {case.hooks.__name__} " in failed[case.check]
    assert case.says in failed[case.check]
    assert "\n" not in failed[case.check]


@pytest.mark.parametrize("hooks", [Sound, Sound()])
def test_sound_hooks_keep_the_contract_as_a_class_and_as_an_object(hooks: object) -> None:
    report = check_hooks(hooks)
    assert (report.ok, report.skipped) == (True, ()), report


def test_every_check_is_broken_by_some_plugin() -> None:
    assert {case.check for case in BROKEN} == {each.name for each in HooksContract.checks()}
