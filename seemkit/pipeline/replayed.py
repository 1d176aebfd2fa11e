"""A model whose legacy options draw from a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from seemkit.errors import SeemkitError
from seemkit.pipeline.legacy import legacy_of
from seemkit.pipeline.model import Model

if TYPE_CHECKING:
    from types import TracebackType

    from seemkit.network.legacy import Draws

__all__ = ["Replayed"]


class Replayed(Model):
    """A model as it is, but with recorded draws; for one thread.

    As the context of a ``with`` block it refuses a record that is not used up when the block ends.

    Args:
        model: whose network and caches it shares.
        draws: the record, in the order in which the original drew it.

    Raises:
        SeemkitError: the model draws nothing at random.
    """

    def __init__(self, model: Model, draws: Draws) -> None:
        if legacy_of(model.network) is None:
            raise SeemkitError(
                "the mask decoder draws nothing at random; set an option such as mask_decoder.legacy.queries",
                path="mask_decoder.legacy",
            )
        self.__dict__.update(vars(model))
        self._replayed = draws

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._replayed is not None:
            self._replayed.finish()
