"""The answer policy `priority`: the most precise kind of prompt decides alone, as in the original demo."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from seemkit.answer.fused import against, together
from seemkit.components import Evidence

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Priority"]

ORDER = ("region", "reference")


class Priority:
    """Takes the first of region, reference and text anchors; exclude anchors always count."""

    class Options(BaseModel):
        """It has none."""

        model_config = ConfigDict(frozen=True, extra="forbid")

    @staticmethod
    def build(options: "Priority.Options") -> "Priority":
        """Return the policy."""
        del options
        return Priority()

    def score(self, evidence: Sequence[Evidence]) -> "Tensor":
        """(Q,) sums over the anchors of the first role that has any."""
        first = min(_rank(e.role) for e in evidence if e.include)
        return together(e for e in evidence if e.include and _rank(e.role) == first) + against(evidence)


def _rank(role: str) -> int:
    return ORDER.index(role) if role in ORDER else len(ORDER)
