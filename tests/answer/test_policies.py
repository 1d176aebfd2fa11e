"""The two answer policies on evidence made by hand."""

import math

import pytest
import torch

from seemkit.answer.fused import Fused
from seemkit.answer.priority import Priority
from seemkit.components import AnswerPolicy, Evidence

POLICIES = [Fused.build(Fused.Options()), Priority.build(Priority.Options())]
KINDS = ["fused", "priority"]


def says(*probabilities: float, role: str = "region", include: bool = True) -> Evidence:
    return Evidence(torch.tensor(probabilities).log(), role, include)


@pytest.mark.parametrize("policy", POLICIES, ids=KINDS)
@pytest.mark.parametrize("role", ["region", "reference", "phrase", "memory", "audio"])
def test_with_one_anchor_both_say_what_it_says(policy: AnswerPolicy, role: str) -> None:
    evidence = says(0.2, 0.7, 0.1, role=role)
    torch.testing.assert_close(policy.score([evidence]), evidence.log_probabilities)


def test_fused_adds_logarithms() -> None:
    scores = POLICIES[0].score([says(0.6, 0.3, 0.1), says(0.1, 0.8, 0.1, role="phrase")])
    torch.testing.assert_close(scores, torch.tensor([0.06, 0.24, 0.01]).log())


@pytest.mark.parametrize(
    ("roles", "first"),
    [
        (("phrase", "reference", "region"), "region"),
        (("phrase", "reference"), "reference"),
        (("phrase", "audio"), "both"),
    ],
)
def test_priority_takes_region_then_reference_then_the_rest(roles: tuple[str, ...], first: str) -> None:
    each = {role: says(*torch.rand(4).softmax(0).tolist(), role=role) for role in roles}
    expected = (
        sum(e.log_probabilities for e in each.values()) if first == "both" else each[first].log_probabilities
    )
    torch.testing.assert_close(POLICIES[1].score(list(each.values())), expected)


@pytest.mark.parametrize("policy", POLICIES, ids=KINDS)
def test_an_exclude_anchor_adds_log_of_one_minus_p(policy: AnswerPolicy) -> None:
    evidence = [says(0.5, 0.3, 0.2), says(0.7, 0.2, 0.1, role="phrase", include=False)]
    expected = torch.tensor([0.5 * 0.3, 0.3 * 0.8, 0.2 * 0.9]).log()
    torch.testing.assert_close(policy.score(evidence), expected)


@pytest.mark.parametrize("policy", POLICIES, ids=KINDS)
def test_an_exclude_anchor_never_takes_all(policy: AnswerPolicy) -> None:
    # p is at most 1 - 1e-4, so what is left is 1e-4
    evidence = [says(0.5, 0.5), says(1.0, 0.0, role="phrase", include=False)]
    scores = policy.score(evidence)
    assert scores[0].item() == pytest.approx(math.log(0.5) + math.log(1e-4), abs=2e-3)
    assert scores[1].item() == pytest.approx(math.log(0.5))
    assert torch.isfinite(scores).all()


def test_priority_lets_every_exclude_anchor_count() -> None:
    evidence = [
        says(0.5, 0.5),
        says(0.9, 0.1, role="phrase"),
        says(0.8, 0.2, role="reference", include=False),
        says(0.5, 0.5, role="phrase", include=False),
    ]
    expected = torch.tensor([0.5 * 0.2 * 0.5, 0.5 * 0.8 * 0.5]).log()
    torch.testing.assert_close(POLICIES[1].score(evidence), expected)


def test_the_policies_disagree_only_where_kinds_are_mixed() -> None:
    fused, priority = POLICIES
    region, phrase = says(0.6, 0.4), says(0.1, 0.9, role="phrase")
    assert fused.score([region, phrase]).argmax() == 1
    assert priority.score([region, phrase]).argmax() == 0
    for one in (region, phrase):
        assert torch.equal(fused.score([one]), priority.score([one]))


def test_two_anchors_of_the_first_role_are_added() -> None:
    one, two = says(0.6, 0.4), says(0.2, 0.8)
    torch.testing.assert_close(POLICIES[1].score([one, two]), torch.tensor([0.12, 0.32]).log())
