"""An assembly: the validated, frozen configuration that names one component per slot and its options."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    PrivateAttr,
    StringConstraints,
    Tag,
    field_validator,
)

from seemkit.assembly.document import write_text
from seemkit.assembly.runtime_section import RuntimeSection
from seemkit.assembly.sections import (
    Label,
    PreprocessSection,
    ThresholdsSection,
    VocabularySection,
    WeightsSection,
)
from seemkit.cache import converted_path
from seemkit.choice import Slot
from seemkit.choice.wording import FORM
from seemkit_registry import Component, Registry

__all__ = ["ARCHITECTURE", "HOOKS_ARE", "SLOTS", "VERSION", "Assembly", "FixedPart"]

VERSION = 1
"""Of the form of a configuration; its field ``seemkit``."""

SLOTS = {
    "backbone": "backbones",
    "pixel_decoder": "pixel_decoders",
    "mask_decoder": "mask_decoders",
    "text_encoder": "text_encoders",
    "answer_policy": "answer_policies",
}
"""Slot and the kind of component that it takes."""

ARCHITECTURE = ("backbone", "pixel_decoder", "mask_decoder", "text_encoder")
"""The slots that decide which weights there are."""

HOOKS_ARE = "hooks that are asked for, by name, or with options as {use: NAME, ...}"
"""What the field ``hooks`` is."""

NAMES, FIELDS = f"{FORM}names", f"{FORM}fields"


def _form_of_vocabulary(given: object) -> str:
    return FIELDS if isinstance(given, Mapping | VocabularySection) else NAMES


class FixedPart(BaseModel):
    """The fields of an assembly that no plugin has a say in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] = Field(
        "custom", description="what the model is called; by default that of the file"
    )
    summary: str = Field("", max_length=500, description="what it is, in a sentence")
    prompts: tuple[str, ...] | Literal["all"] = Field(
        "all", description="prompt types whose learned parts belong to the model, or all that are installed"
    )
    preprocess: PreprocessSection = Field(
        default_factory=PreprocessSection,
        description="how an image becomes the input; what is null is as the backbone declares",
    )
    weights: WeightsSection | None = Field(None, description="the weights that belong to it; null: random")
    prefer: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="which distribution a bare name means, by kind and name"
    )
    runtime: RuntimeSection = Field(
        default_factory=RuntimeSection.default, description="where and how to run"
    )
    thresholds: ThresholdsSection = Field(
        default_factory=ThresholdsSection, description="when a query counts in everything mode"
    )
    vocabulary: (
        Annotated[
            Annotated[tuple[Label, ...], Tag(NAMES)] | Annotated[VocabularySection, Tag(FIELDS)],
            Discriminator(_form_of_vocabulary),
        ]
        | None
    ) = Field(
        None,
        description="names that labels are chosen from if a call gives none, or the fields of a vocabulary",
    )

    @field_validator("prompts", mode="before")
    @classmethod
    def check_prompts(cls, prompts: object) -> object:
        """Take "all" or a list of texts; said once, and not once for each of the two."""
        if prompts == "all" or (
            isinstance(prompts, list | tuple) and all(isinstance(p, str) for p in prompts)
        ):
            return prompts
        raise ValueError("expected 'all' or a list of names such as [points, boxes]")


class Assembly(FixedPart):
    """A configuration whose components are installed and whose options are right.

    Made by :func:`seemkit.assembly.load_assembly`, which reports everything that is wrong at once.

    Attributes:
        backbone: and the other slots: the component and its options.
        prompts: names of prompt types, or "all" that are installed.
        preprocess: how an image becomes the input of the backbone.
        weights: None means random.
        prefer: which distribution a bare name means, ``{kind: {name: distribution}}``.
        runtime: where and how to run.
        thresholds: when a query counts in everything mode.
        vocabulary: the names that labels are chosen from unless a call gives its own.
        hooks: components of kind hooks that are asked for, and their options.
    """

    backbone: Slot
    pixel_decoder: Slot
    mask_decoder: Slot
    text_encoder: Slot
    answer_policy: Slot
    hooks: tuple[Slot, ...] = Field((), description=HOOKS_ARE)

    _weights_folder: Path | None = PrivateAttr(default=None)

    def weights_path(self) -> Path | None:
        """Where the file of ``weights`` is, or should be; None if there are none.

        What is made of a published file lies in the cache (:mod:`seemkit.cache`).
        """
        if self.weights is None:
            return None
        if self.weights.file is not None:
            return (self._weights_folder or Path()) / self.weights.file
        published = self.weights.published
        assert published is not None
        return converted_path(published.repo, published.file, published.revision)

    def prompt_components(self, registry: Registry) -> list[Component]:
        """The prompt types of this assembly, sorted by name; with "all", every one that is installed."""
        if self.prompts == "all":
            return registry.active("prompts", self.prefer)
        found = {registry.resolve("prompts", name, self.prefer) for name in self.prompts}
        return sorted(found, key=lambda component: (component.name, component.distribution))

    def as_dict(self) -> dict[str, JsonValue]:
        """The configuration as plain data, complete in itself: what it extended is written out."""
        data: dict[str, JsonValue] = {"seemkit": VERSION, "name": self.name}
        if self.summary:
            data["summary"] = self.summary
        for slot in SLOTS:
            choice: Slot = getattr(self, slot)
            data[slot] = {"use": choice.use, **choice.options()}
        fixed = self.model_dump(mode="json", exclude={*SLOTS, "hooks", "name", "summary"})
        fixed["preprocess"] = self.preprocess.model_dump(mode="json", exclude_unset=True)
        fixed["runtime"] = self.runtime.model_dump(mode="json", exclude_unset=True)
        fixed["thresholds"] = self.thresholds.model_dump(mode="json", exclude_unset=True)
        if self.weights is not None:
            fixed["weights"] = self.weights.model_dump(mode="json", exclude_unset=True)
        if isinstance(self.vocabulary, VocabularySection):
            fixed["vocabulary"] = self.vocabulary.model_dump(mode="json", exclude_unset=True)
        data.update({key: value for key, value in fixed.items() if value not in ({}, None)})
        if self.hooks:
            data["hooks"] = [{"use": hook.use, **hook.options()} for hook in self.hooks]
        return data

    def to_yaml(self) -> str:
        """The configuration as YAML that loads into an equal assembly, from a file in the same folder."""
        return write_text(self.as_dict())

    def fingerprint(self) -> str:
        """SHA-256 of the architecture: components and options that decide which weights there are.

        Options that are left at their default do not count, so that a component may gain options.
        """
        parts = {}
        for slot in ARCHITECTURE:
            choice: Slot = getattr(self, slot)
            options = choice.settings.model_dump(mode="json", exclude_defaults=True)
            parts[slot] = [choice.component, options]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
