"""The answer policy `consensus`: every source has one vote, however many prompts it brought."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from seemkit import api

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Consensus"]

SURE = 1e-4
"""An exclude anchor never takes more than 1 - SURE of the probability, as in the policy `fused`."""


class Consensus:
    """Geometric mean within each role, then over the roles, or the least of them; exclude anchors always count.

    `fused` adds all anchors, so that three texts outvote one click. Here regions, references and phrases each
    have one vote. With `least` the answer is what its most doubtful role doubts least.
    """

    class Options(BaseModel):
        """How the roles come to terms."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        roles: Literal["mean", "least"] = Field(
            "mean", description="the geometric mean over the roles, or the role that is least convinced"
        )

    def __init__(self, options: Options) -> None:
        self.options = options

    @classmethod
    def build(cls, options: Options) -> "Consensus":
        return cls(options)

    def score(self, evidence: "Sequence[api.Evidence]") -> "Tensor":
        """(Q,) log-scores of the candidates."""
        import torch

        votes: dict[str, list[Tensor]] = {}
        for each in evidence:
            if each.include:
                votes.setdefault(each.role, []).append(each.log_probabilities)
        by_role = torch.stack([torch.stack(own).mean(0) for own in votes.values()])  # R x Q
        score = by_role.mean(0) if self.options.roles == "mean" else by_role.min(0).values
        for each in evidence:
            if not each.include:
                score = score + torch.log1p(-each.log_probabilities.exp().clamp(max=1 - SURE))
        return score
