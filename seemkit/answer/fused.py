"""The answer policy `fused`: every anchor has a say."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from seemkit.components import Evidence

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Fused", "against", "together"]

SURE = 1e-4
"""An exclude anchor never takes more than 1 - SURE of the probability."""


class Fused:
    """Adds the log-probabilities of all anchors; an exclude anchor adds log(1 - p)."""

    class Options(BaseModel):
        """It has none."""

        model_config = ConfigDict(frozen=True, extra="forbid")

    @staticmethod
    def build(options: "Fused.Options") -> "Fused":
        """Return the policy."""
        del options
        return Fused()

    def score(self, evidence: Sequence[Evidence]) -> "Tensor":
        """(Q,) sums over the anchors."""
        return together(e for e in evidence if e.include) + against(evidence)


def together(evidence: Iterable[Evidence]) -> "Tensor":
    """(Q,) sum of what the anchors say; there is at least one."""
    import torch

    return torch.stack([e.log_probabilities for e in evidence]).sum(0)


def against(evidence: Sequence[Evidence]) -> "Tensor":
    """(Q,) what the exclude anchors add, log(1 - min(p, 1 - 1e-4)) each; zeros if there is none."""
    import torch

    total = torch.zeros_like(evidence[0].log_probabilities)
    for each in evidence:
        if not each.include:
            total = total + torch.log1p(-each.log_probabilities.exp().clamp(max=1 - SURE))
    return total
