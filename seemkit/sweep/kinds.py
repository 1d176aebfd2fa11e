"""What can be swept: backbones and text encoders, each with its trial, its page and what its models are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from seemkit.errors import SeemkitError
from seemkit.host import registry as host_registry
from seemkit.sweep.backbones import try_backbone
from seemkit.sweep.pages import backbones_page, text_encoders_page
from seemkit.sweep.report import SweepReport
from seemkit.sweep.text_encoders import try_text_encoder
from seemkit.sweep.trial import BackboneTrial, TextTrial, Trial

__all__ = ["KINDS", "Kind", "list_models"]


@dataclass(frozen=True)
class Kind:
    """One kind of component.

    Attributes:
        provides: its name in the registry.
        component: what is swept unless another is named.
        trial: the type of its trials.
        job: tries one model, by name, component and the most parameters to run.
        page: the report as Markdown.
        file: stem of the page and of the JSON beside it.
    """

    provides: str
    component: str
    trial: type[Trial]
    job: Callable[..., Iterator[Any]]
    page: Callable[[SweepReport[Any]], str]
    file: str


KINDS = {
    "backbones": Kind("backbones", "timm", BackboneTrial, try_backbone, backbones_page, "backbones"),
    "text-encoders": Kind(
        "text_encoders", "open_clip", TextTrial, try_text_encoder, text_encoders_page, "text-encoders"
    ),
}
"""By the word of the command."""


def list_models(kind: Kind, component: str) -> list[str]:
    """Every model that a component wraps.

    Raises:
        SeemkitError: the component does not say which there are.
    """
    registry = host_registry()
    found = registry.load(registry.resolve(kind.provides, component))
    models = getattr(found, "models", None)
    if not callable(models):
        raise SeemkitError(
            f"{component!r} has no models(), which would list the names that its option 'model' takes; "
            f"a sweep needs it, as {kind.component!r} has it",
            path="component",
        )
    return list(models())
