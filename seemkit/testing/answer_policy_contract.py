"""The contract of answer policies, and its checks without pytest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from seemkit.components import AnswerPolicy, Evidence
from seemkit.testing.contract import check, named
from seemkit.testing.module_checks import gap
from seemkit.testing.option_checks import OptionChecks
from seemkit.testing.report import Report
from seemkit.testing.violation import demand, fail

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AnswerPolicyContract", "check_answer_policy"]

CLOSE = 1e-5
"""Relative to the largest score: what another order of summing may change in float32."""
ROLES = ("region", "reference", "phrase", "memory", "a role of a plugin")


class AnswerPolicyContract(OptionChecks):
    """What every answer policy is held to; a subclass in a test file names it as ``answer_policy``.

    Attributes:
        answer_policy: the object behind the entry point.
        options: to build it with.
    """

    kind: ClassVar[str] = "answer_policies"
    answer_policy: ClassVar[Any]

    @classmethod
    def component(cls) -> object:
        """The answer policy."""
        return named(cls, "answer_policy")

    def build(self) -> AnswerPolicy:
        """A policy of one's own."""
        policy: AnswerPolicy = self.answer_policy.build(self.settings())
        return policy

    @check(
        "A policy gives one score for each candidate, in floating point, neither NaN nor +infinity",
        why="The largest score answers, and a score that is no number is the largest or the smallest by chance.",
        mend="return (Q,) log-scores; clamp a probability before 1 - p is put into a logarithm",
    )
    def test_it_scores_each_candidate(self) -> None:
        policy = self.build()
        for count in (1, 2, 101):
            for what, evidence in mixes(count).items():
                scores = policy.score(evidence)
                if getattr(scores, "shape", None) != (count,):
                    fail(f"gave {_shown(scores)} for {count} candidates ({what})")
                demand(scores.is_floating_point(), f"gave scores of {scores.dtype} ({what})")
                wrong = scores.isnan().any() or (scores == float("inf")).any()
                demand(not wrong, f"gave scores that are no numbers for {count} candidates ({what})")

    @check(
        "An anchor that is sure, or sure of the contrary, gives scores too",
        why="A trained model is often sure to the last digit, where the logarithm of nothing is -infinity.",
        mend="clamp probabilities to at most 1 - 1e-4 before log(1 - p)",
    )
    def test_a_sure_anchor_is_scored(self) -> None:
        import torch

        sure = torch.tensor([0.0, -1e4, float("-inf")])
        for what, include in (("of one candidate", True), ("against one candidate", False)):
            evidence = [anchor(sure, "region", include), anchor(draws(3, 1)[0], "phrase", True)]
            scores = self.build().score(evidence)
            demand(not scores.isnan().any(), f"gave NaN for an anchor that is sure {what}")
            demand(not (scores == float("inf")).any(), f"gave infinity for an anchor that is sure {what}")

    @check(
        "An anchor that is alone chooses its likeliest candidate, whatever its role",
        why="With one kind of prompt every policy answers as the published model does.",
        mend="let the score of a single anchor grow with its log-probability, for roles of plugins too",
    )
    def test_an_anchor_alone_chooses(self) -> None:
        policy = self.build()
        for number, role in enumerate(ROLES):
            (only,) = draws(9, 1, seed=number)
            chosen = int(policy.score([anchor(only, role)]).argmax())
            best = int(only.argmax())
            demand(chosen == best, f"chose candidate {chosen} by a {role} anchor whose likeliest is {best}")

    @check(
        "Anchors may come in any order",
        why="The order of prompts is sorted away, and means nothing.",
        mend="treat anchors alike, or by their role, but not by their place",
    )
    def test_the_order_of_anchors_means_nothing(self) -> None:
        policy = self.build()
        for what, evidence in mixes(9).items():
            off = gap(policy.score(evidence), policy.score(evidence[::-1]))
            demand(
                off <= CLOSE, f"gave scores that differ by {off:.2g} when the anchors were turned ({what})"
            )

    @check(
        "Candidates may come in any order, and their scores with them",
        why="Candidates are rows of a table; their numbers mean nothing.",
        mend="compute each candidate's score by the same formula",
    )
    def test_the_order_of_candidates_means_nothing(self) -> None:
        import torch

        policy, order = self.build(), torch.tensor([3, 0, 4, 1, 2])
        for what, evidence in mixes(5).items():
            moved = [anchor(e.log_probabilities[order], e.role, e.include) for e in evidence]
            off = gap(policy.score(evidence)[order], policy.score(moved))
            demand(off <= CLOSE, f"gave scores that differ by {off:.2g} for moved candidates ({what})")

    @check(
        "Of two candidates that are as good, the one that an exclusion points at does not answer",
        why="An exclusion that is ignored answers the opposite of what was asked.",
        mend="add log(1 - p) of each anchor whose include is False",
    )
    def test_an_exclusion_counts(self) -> None:
        import torch

        policy = self.build()
        for role in ROLES:
            for excluded in (0, 1):
                good = torch.tensor([0.45, 0.45, 0.1]).log()
                against = torch.full((3,), 0.05)
                against[excluded] = 0.9
                evidence = [anchor(good, "region"), anchor(against.log(), role, include=False)]
                chosen = int(policy.score(evidence).argmax())
                demand(chosen != excluded, f"chose the candidate that a {role} anchor excludes")

    @check(
        "The evidence is left as it is",
        why="The share of each anchor is reported from the same tensors.",
        mend="use no operation in place: total = total + x, not total += x",
    )
    def test_the_evidence_is_left_as_it_is(self) -> None:
        policy = self.build()
        for what, evidence in mixes(9).items():
            kept = [e.log_probabilities.clone() for e in evidence]
            policy.score(evidence)
            same = all(e.log_probabilities.equal(k) for e, k in zip(evidence, kept, strict=True))
            demand(same, f"changed the evidence ({what})")

    @check(
        "The same evidence gives the same bits, whatever came between",
        why="Logs are replayed, and threads share the policy.",
        mend="keep nothing from call to call, and draw nothing at random",
    )
    def test_it_is_deterministic(self) -> None:
        policy, every = self.build(), mixes(9)
        first = {what: policy.score(evidence) for what, evidence in every.items()}
        for what, evidence in every.items():
            demand(policy.score(evidence).equal(first[what]), f"gave other bits the second time ({what})")

    @check(
        "Evidence in half precision is scored",
        why="Models run in bfloat16 where the device is fast at it.",
        mend="make no tensor of a fixed dtype to be mixed with the evidence",
    )
    def test_half_precision_is_scored(self) -> None:
        import torch

        policy = self.build()
        for dtype in (torch.bfloat16, torch.float16, torch.float64):
            for what, evidence in mixes(9).items():
                cast_down = [anchor(e.log_probabilities.to(dtype), e.role, e.include) for e in evidence]
                scores = policy.score(cast_down)
                demand(not scores.isnan().any(), f"gave NaN in {dtype} ({what})")

    @check(
        "A hundred anchors are scored",
        why="A long conversation has that many.",
        mend="expect any number of anchors, of which one includes",
    )
    def test_many_anchors_are_scored(self) -> None:
        many = [anchor(x, ROLES[i % 5], include=i % 3 != 1) for i, x in enumerate(draws(9, 100))]
        demand(not self.build().score(many).isnan().any(), "gave NaN for a hundred anchors")


def mixes(count: int) -> dict[str, list[Evidence]]:
    """Evidence of several anchors on `count` candidates, by what is mixed."""
    a, b, c, d = draws(count, 4)
    return {
        "one include": [anchor(a, "region")],
        "two roles": [anchor(a, "region"), anchor(b, "phrase")],
        "an exclude of the same role": [anchor(a, "region"), anchor(b, "region", include=False)],
        "includes and excludes": [
            anchor(a, "phrase"),
            anchor(b, "phrase", include=False),
            anchor(c, "reference"),
            anchor(d, "a role of a plugin", include=False),
        ],
    }


def anchor(log_probabilities: Tensor, role: str, include: bool = True) -> Evidence:
    """Evidence of one anchor."""
    return Evidence(log_probabilities, role, include)


def draws(count: int, anchors: int, seed: int = 0) -> Sequence[Tensor]:
    """Log-probabilities (Q,) of anchors, all different."""
    import torch

    noise = torch.randn(anchors, count, generator=torch.Generator().manual_seed(seed))
    return (3 * noise).log_softmax(1).unbind()


def _shown(scores: object) -> str:
    shape = getattr(scores, "shape", None)
    return f"a {type(scores).__name__}" if shape is None else f"scores of shape {tuple(shape)}"


def check_answer_policy(
    answer_policy: object, options: Mapping[str, object] | None = None, *, only: Iterable[str] | None = None
) -> Report:
    """Hold an answer policy to the contract, without pytest.

    Args:
        answer_policy: the object behind the entry point.
        options: to build it with.
        only: names of checks to run; by default all.
    """
    members = {"answer_policy": answer_policy, "options": dict(options or {})}
    contract = cast(type[AnswerPolicyContract], type("Checked", (AnswerPolicyContract,), members))
    return contract.report(only)
