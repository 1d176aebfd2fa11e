"""For every check of answer policies a plugin that breaks it, and, but for what is named, breaks no other."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from seemkit.api import Evidence
from seemkit.testing import AnswerPolicyContract, check_answer_policy


class Sound:
    """A policy that keeps the contract."""

    class Options(BaseModel):
        """It has none."""

        model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def build(cls, options: Any) -> "Sound":
        return cls()

    def score(self, evidence: Sequence[Evidence]) -> Any:
        return torch.stack([self.one(each) for each in evidence]).sum(0)

    def one(self, each: Evidence) -> Tensor:
        if each.include:
            return each.log_probabilities
        return torch.log1p(-each.log_probabilities.exp().clamp(max=1 - 1e-4))


class Total(Sound):
    """A policy that gives one number."""

    def score(self, evidence: Sequence[Evidence]) -> Any:
        return super().score(evidence).sum()


class Whole(Sound):
    """A policy that gives ranks as whole numbers."""

    def score(self, evidence: Sequence[Evidence]) -> Any:
        return super().score(evidence).argsort().argsort()


class Certain(Sound):
    """A policy that trusts probabilities to stay below one."""

    def one(self, each: Evidence) -> Tensor:
        chance = each.log_probabilities.exp()
        return each.log_probabilities if each.include else torch.logit(1 - chance)


class Partial(Sound):
    """A policy that knows three roles."""

    def one(self, each: Evidence) -> Tensor:
        known = each.role in ("region", "reference", "phrase")
        return super().one(each) if known else torch.zeros_like(each.log_probabilities)


class Contrary(Sound):
    """A policy that prefers what is unlikely."""

    def one(self, each: Evidence) -> Tensor:
        return -super().one(each) if each.include else super().one(each)


class Impatient(Sound):
    """A policy to which the first anchor counts most."""

    def score(self, evidence: Sequence[Evidence]) -> Any:
        return super().score(evidence) + self.one(evidence[0])


class Eager(Sound):
    """A policy that prefers low numbers a little."""

    def score(self, evidence: Sequence[Evidence]) -> Any:
        found = super().score(evidence)
        return found - 1e-3 * torch.arange(len(found), dtype=found.dtype)


class Forgiving(Sound):
    """A policy to which an exclusion means nothing."""

    def one(self, each: Evidence) -> Tensor:
        return each.log_probabilities if each.include else torch.zeros_like(each.log_probabilities)


class Greedy(Sound):
    """A policy that adds in place."""

    def score(self, evidence: Sequence[Evidence]) -> Any:
        first = next(each for each in evidence if each.include)
        total = first.log_probabilities
        for each in evidence:
            if each is not first:
                total += self.one(each)
        return total


class Moody(Sound):
    """A policy that draws."""

    def score(self, evidence: Sequence[Evidence]) -> Any:
        found = super().score(evidence)
        return found + 1e-7 * torch.rand(len(found), dtype=found.dtype)


class Mixing(Sound):
    """A policy that weighs anchors by a matrix product in single precision."""

    def score(self, evidence: Sequence[Evidence]) -> Any:
        return torch.ones(len(evidence)) @ torch.stack([self.one(each) for each in evidence])


class Short(Sound):
    """A policy for eight anchors."""

    def score(self, evidence: Sequence[Evidence]) -> Any:
        weights = torch.ones(8)[: len(evidence), None].to(evidence[0].log_probabilities)
        return (weights * torch.stack([self.one(each) for each in evidence])).sum(0)


class Loose(Sound):
    """A policy whose options may be anything."""

    class Options(BaseModel):  # type: ignore[override]
        """They are not checked."""

        model_config = ConfigDict(frozen=True)


class Silent(Sound):
    """A policy with an option that nobody explains."""

    class Options(BaseModel):  # type: ignore[override]
        """One."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        weight: float = Field(1.0)


class Break(NamedTuple):
    """A broken plugin, the check that it fails, and those that fail with it."""

    policy: type[Sound]
    check: str
    too: frozenset[str] = frozenset()


ALSO = frozenset
BROKEN = [
    Break(
        Total,
        "test_it_scores_each_candidate",
        ALSO(
            {
                "test_an_anchor_alone_chooses",
                "test_the_order_of_candidates_means_nothing",
                "test_an_exclusion_counts",
            }
        ),
    ),
    Break(Whole, "test_it_scores_each_candidate"),
    Break(Certain, "test_a_sure_anchor_is_scored", ALSO({"test_it_scores_each_candidate"})),
    Break(Partial, "test_an_anchor_alone_chooses", ALSO({"test_an_exclusion_counts"})),
    Break(Contrary, "test_an_anchor_alone_chooses", ALSO({"test_a_sure_anchor_is_scored"})),
    Break(Impatient, "test_the_order_of_anchors_means_nothing"),
    Break(Eager, "test_the_order_of_candidates_means_nothing"),
    Break(Forgiving, "test_an_exclusion_counts"),
    Break(
        Greedy,
        "test_the_evidence_is_left_as_it_is",
        ALSO({"test_it_is_deterministic", "test_the_order_of_anchors_means_nothing"}),
    ),
    Break(Moody, "test_it_is_deterministic"),
    Break(Mixing, "test_half_precision_is_scored"),
    Break(Short, "test_many_anchors_are_scored"),
    Break(Loose, "test_its_options_are_frozen_and_strict"),
    Break(Silent, "test_it_and_its_options_are_described"),
]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.policy.__name__)
def test_a_broken_policy_fails_its_check_in_a_sentence(case: Break) -> None:
    report = check_answer_policy(case.policy)
    failed = {each.name: each.reason for each in report.failed}
    assert case.check in failed, report
    assert set(failed) <= {case.check} | case.too, report
    assert f", but {case.policy.__name__} " in failed[case.check]
    assert "\n" not in failed[case.check]


def test_a_sound_policy_keeps_the_contract() -> None:
    report = check_answer_policy(Sound)
    assert (report.ok, report.skipped) == (True, ()), report


def test_every_check_is_broken_by_some_plugin() -> None:
    seen = {case.check for case in BROKEN}
    left = {each.name for each in AnswerPolicyContract.checks()} - seen
    assert left == {"test_its_options_come_back_from_json"}  # broken in test_broken_backbones
