"""The answer policy `consensus`: a vote a role; expected values are worked out from the probabilities by hand."""

import math

import pytest
import torch

import seemkit
from seemkit.answer.fused import Fused
from seemkit.api import Evidence
from seemkit.prompts import Point, Text
from seemkit_extras.consensus import Consensus


def says(role, *probabilities, include=True):
    return Evidence(torch.tensor(probabilities).log(), role, include)


REGION = says("region", 0.05, 0.9, 0.05)
WORDS = [says("phrase", 0.6, 0.2, 0.2)] * 3


def test_three_texts_do_not_outvote_a_click_as_they_do_if_all_are_added():
    evidence = [REGION, *WORDS]
    assert int(Fused().score(evidence).argmax()) == 0  # 0.05 * 0.6^3 > 0.9 * 0.2^3
    assert int(Consensus.build(Consensus.Options()).score(evidence).argmax()) == 1  # 0.05 * 0.6 < 0.9 * 0.2


def test_the_mean_is_geometric_within_a_role_and_over_the_roles():
    evidence = [REGION, says("phrase", 0.4, 0.4, 0.2), says("phrase", 0.1, 0.1, 0.8)]
    score = Consensus.build(Consensus.Options()).score(evidence)
    expected = [
        math.sqrt(r * math.sqrt(a * b)) for r, a, b in ((0.05, 0.4, 0.1), (0.9, 0.4, 0.1), (0.05, 0.2, 0.8))
    ]
    assert score.exp().tolist() == pytest.approx(expected, rel=1e-5)


def test_the_least_convinced_role_decides_if_asked():
    evidence = [says("region", 0.70, 0.25, 0.05), says("phrase", 0.02, 0.24, 0.74)]
    mean, least = (Consensus.build(Consensus.Options(roles=r)).score(evidence) for r in ("mean", "least"))
    assert int(mean.argmax()) == 1  # 0.014, 0.060, 0.037
    assert least.exp().tolist() == pytest.approx([0.02, 0.24, 0.05])
    other = [says("region", 0.90, 0.06, 0.04), says("phrase", 0.05, 0.07, 0.88)]
    assert int(Consensus.build(Consensus.Options()).score(other).argmax()) == 0  # 0.045, 0.0042, 0.035
    assert (
        int(Consensus.build(Consensus.Options(roles="least")).score(other).argmax()) == 1
    )  # 0.05, 0.06, 0.04


def test_excluding_is_as_in_fused_and_one_anchor_is_believed_as_it_is():
    against = says("region", 0.1, 0.9999999, 0.1, include=False)
    for options in (Consensus.Options(), Consensus.Options(roles="least")):
        policy = Consensus.build(options)
        assert torch.equal(policy.score([REGION]), REGION.log_probabilities)
        assert torch.allclose(policy.score([REGION, against]), Fused().score([REGION, against]))


def test_an_assembly_chooses_it_with_its_option(assembly):
    chosen = {**assembly("nano"), "answer_policy": {"use": "consensus", "roles": "least"}}
    model = seemkit.load(chosen, weights=None, device="cpu")
    assert model.policy.options.roles == "least"
    image = torch.zeros(48, 64, 3, dtype=torch.uint8).numpy()
    result = model.segment(image, [Point(x=20, y=20), Text(text="cat"), Point(x=2, y=2, include=False)])
    assert len(result) == 1
    with pytest.raises(ValueError, match=r"answer_policy\.roles: got 'leest', expected 'mean' or 'least'"):
        seemkit.load({**assembly(), "answer_policy": {"use": "consensus", "roles": "leest"}}, weights=None)
