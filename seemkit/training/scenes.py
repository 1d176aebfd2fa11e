"""Some of the scenes of a prepared batch."""

from collections.abc import Sequence

from seemkit.network.prepared import PreparedScene

__all__ = ["pick_scenes"]


def pick_scenes(prepared: PreparedScene, index: Sequence[int]) -> PreparedScene:
    """The scenes of these numbers; all of them in order are given back as they are."""
    rows = list(index)
    if rows == list(range(prepared.batch)):
        return prepared
    return PreparedScene(
        tuple(x[rows] for x in prepared.levels),
        prepared.mask_features.pick(rows),
        tuple(x[rows] for x in prepared.small),
        tuple(x[rows] for x in prepared.keys),
        tuple(x[rows] for x in prepared.values),
        None if prepared.meaning is None else prepared.meaning[rows],
        None if prepared.nearer is None else prepared.nearer[rows],
    )
