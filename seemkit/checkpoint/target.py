"""Where weights may be written to: a .safetensors file that is not the one they are made of."""

from pathlib import Path

from seemkit.errors import WeightsError
from seemkit.results.atomic import check_target

__all__ = ["check_weights_target"]


def check_weights_target(source: Path, target: Path, doing: str) -> None:
    """Refuse a target before anything is computed.

    Args:
        source: what the weights are made of.
        target: where they are to go.
        doing: what is done to the source, as an infinitive, such as "convert".

    Raises:
        SeemkitError: the target cannot be written, or is the source; in one sentence.
    """
    if target.suffix != ".safetensors":
        near = str(target.with_suffix(".safetensors")) if target.name else "weights.safetensors"
        raise WeightsError(
            f"{str(target)!r} is not a .safetensors file; did you mean {near!r}?", path="-o", suggestion=near
        )
    if source.exists() and target.exists() and target.samefile(source):
        raise WeightsError(f"{str(target)!r} is the file to {doing} itself; give another name", path="-o")
    check_target(target)
