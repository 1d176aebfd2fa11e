"""seemkit: segment anything you can point at, name or show, with a model made of plugins.

Importing it loads neither torch nor a plugin; the names below are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seemkit.assembly import Assembly as Assembly
    from seemkit.errors import SeemkitError as SeemkitError
    from seemkit.network.legacy import Draws as Draws
    from seemkit.notebook import register as register
    from seemkit.pipeline.load import load as load
    from seemkit.pipeline.model import Model as Model
    from seemkit.result import Result as Result
    from seemkit.scene import Scene as Scene
    from seemkit.session import Session as Session
    from seemkit.session import replay as replay
    from seemkit.vocabulary import Vocabulary as Vocabulary

__all__ = [
    "Assembly",
    "Draws",
    "Model",
    "Result",
    "Scene",
    "SeemkitError",
    "Session",
    "Vocabulary",
    "__version__",
    "load",
    "register",
    "replay",
]

__version__ = "0.1.0"

_HOMES = {
    "Assembly": "seemkit.assembly",
    "Draws": "seemkit.network.legacy",
    "Model": "seemkit.pipeline.model",
    "Result": "seemkit.result",
    "Scene": "seemkit.scene",
    "SeemkitError": "seemkit.errors",
    "Session": "seemkit.session",
    "Vocabulary": "seemkit.vocabulary",
    "load": "seemkit.pipeline.load",
    "register": "seemkit.notebook",
    "replay": "seemkit.session",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'seemkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
