"""One weights file that is the mean of several, of runs that began from the same weights.

Wortsman et al., "Model soups", ICML 2022: fine-tuned weights that lie close to each other have a mean that is as good
as the best of them or better, and costs nothing when it answers.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from seemkit.errors import WeightsError
from seemkit.training.start import weights_file
from seemkit.weights import read_weights, write_weights
from seemkit.weights_bytes import SCALE, from_bytes, names_of, to_bytes

__all__ = ["main", "mean_of"]


def mean_of(files: Sequence[tuple[Path, float]], out: Path) -> Path:
    """Write the weighted mean of weights files, stored as the first of them is.

    Parameters that all have alike, such as those of a frozen encoder, stay as they are to the last bit. Of what only
    some files have it is the mean of those, and the first has to have it.

    Args:
        files: weights files or folders of runs, each with what it counts, above 0.
        out: the file to write.

    Raises:
        WeightsError: there is none, one is missing or damaged, counts nothing or less, or has a parameter that the
            first lacks or has in another shape.
    """
    if not files:
        raise WeightsError("there are no weights to take the mean of; name two files at least", path=str(out))
    read = [read_weights(weights_file(path)) for path, _ in files]
    first = read[0][1]
    plain = [from_bytes(stored) for _, stored in read]
    for (path, share), tensors in zip(files, plain, strict=True):
        _check(path, share, tensors, files[0][0], plain[0])
    mixed: dict[str, Tensor] = {}
    for name in names_of(first):
        some = [
            (tensors[name], share)
            for tensors, (_, share) in zip(plain, files, strict=True)
            if name in tensors
        ]
        own = some[0][0]
        if not own.is_floating_point() or all(torch.equal(x, own) for x, _ in some):
            mixed |= {part: first[part] for part in (name, name + SCALE) if part in first}
            continue
        total = sum(share for _, share in some)
        mean = torch.stack([x.double() * (share / total) for x, share in some]).sum(0).float()
        mixed |= to_bytes({name: mean}) if name + SCALE in first else {name: mean.to(first[name].dtype)}
    return write_weights(mixed, out, _record([about for about, _ in read], files))


def _check(
    path: Path, share: float, tensors: Mapping[str, Tensor], start: Path, first: Mapping[str, Tensor]
) -> None:
    if not 0 < share < math.inf:
        raise WeightsError(f"{path} counts {share:g}, expected a number above 0", path=str(path))
    for name, x in tensors.items():
        if name not in first:
            raise WeightsError(f"{path} has {name!r}, which {start} lacks; name it first", path=str(path))
        if x.shape != first[name].shape:
            raise WeightsError(
                f"{name!r} is {tuple(x.shape)} in {path} and {tuple(first[name].shape)} in {start}; a mean needs "
                "weights of one assembly",
                path=str(path),
            )


def _record(about: Sequence[Mapping[str, object]], files: Sequence[tuple[Path, float]]) -> dict[str, object]:
    """The first file's record, with the recipes and terms of all."""
    record = {name: said for name, said in about[0].items() if name != "format"}
    recipes = [
        f"{share:g} x {each.get('recipe', path.name)}"
        for each, (path, share) in zip(about, files, strict=True)
    ]
    record["recipe"] = "mean of " + ", ".join(recipes)
    record["license"] = "; ".join(dict.fromkeys(str(each.get("license") or "unknown") for each in about))
    trained = [each.get("trained on") for each in about]
    record["trained on"] = list(
        dict.fromkeys(name for own in trained if isinstance(own, list) for name in own)
    )
    return record


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the mean of the weights that are named."""
    parser = argparse.ArgumentParser(prog="python -m seemkit.training.soup", description=__doc__)
    parser.add_argument("out", type=Path, help="weights file to write")
    parser.add_argument(
        "weights",
        nargs="+",
        metavar="FILE[=SHARE]",
        help="weights file or folder of a run, and what it counts (1)",
    )
    given = parser.parse_args(arguments)
    files = []
    for each in given.weights:
        path, _, share = str(each).partition("=")
        try:
            files.append((Path(path), float(share or 1)))
        except ValueError:
            parser.error(f"{each!r} ends with {share!r}, expected a number")
    try:
        print(f"wrote {mean_of(files, given.out)}")
    except WeightsError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
