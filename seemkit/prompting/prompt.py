"""The base classes of every prompt: a frozen value that becomes a region, or groups and anchors."""

import hashlib
import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seemkit.errors import PromptError
from seemkit.geometry.grid import Grid
from seemkit.geometry.region import Region

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as _Meta
    from torch import nn

    from seemkit.prompting.context import Dims, EncodeContext
    from seemkit.prompting.rows import Encoded
else:
    _Meta = type(BaseModel)  # pydantic's metaclass has no public name

__all__ = ["Draw", "Prompt", "SpatialPrompt", "TokenPrompt"]

Draw = Literal["point", "box", "stroke", "polygon", "mask", "text", "audio", "image", "none"]

_COMMON = ("type", "object", "include")
CANONICAL = json.JSONEncoder(sort_keys=True)
"""Made once: a round asks for the keys of all prompts so far."""


class _OneSentence(_Meta):
    """Lets a prompt that is built with wrong fields fail with one sentence in place of pydantic's list."""

    def __call__(cls: type[Any], *args: Any, **fields: Any) -> Any:  # noqa: N805 - a metaclass's first argument
        if args:
            named = ", ".join(f"{name}=..." for name in cls.model_fields if name not in _COMMON)
            raise PromptError(
                f"{cls.type_name()}: {len(args)} value{'s' * (len(args) > 1)} without a name, expected "
                f"{cls.__name__}({named})",
                path=cls.type_name(),
            )
        try:
            return super().__call__(*args, **fields)
        except ValidationError as error:
            from seemkit.prompting.read import explain

            raise explain(error, cls, path=cls.type_name()) from error


class Prompt(BaseModel, ABC, metaclass=_OneSentence):
    """What a user gives, in pixels of the original image, (x, y), or as a text or a reference.

    A subclass adds its fields and a ``type`` with a literal default, which is also its flag on the command
    line. Values are frozen, compare and hash by content, and travel as JSON.

    Attributes:
        object: the object that the prompt belongs to; all prompts of one object are answered together.
        include: True for "this", False for "not this".
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)

    type: str
    object: str = Field(
        default="1",
        min_length=1,
        max_length=200,
        description="the object that it belongs to; one object has one mask",
    )
    include: bool = Field(default=True, description="true for this, false for not this")

    draw: ClassVar[Draw] = "none"
    """Which tool a canvas offers for it."""
    excludes: ClassVar[bool] = True
    """Whether ``include=False`` makes sense; if so the command line has a ``--not-`` flag too."""

    @classmethod
    def type_name(cls) -> str:
        """The JSON ``type`` and command-line flag: the default of the field ``type``."""
        return str(cls.model_fields["type"].default)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the value of a command-line flag; by default a JSON object of the fields."""
        try:
            fields = json.loads(text)
        except json.JSONDecodeError:
            fields = None
        if not isinstance(fields, dict):
            raise PromptError(f"--{cls.type_name()} {text!r} is not a JSON object of its fields")
        return cls(**{"type": cls.type_name(), **fields})

    @classmethod
    def simulate(cls, mask: NDArray[np.bool_], rng: np.random.Generator) -> Self | None:
        """A prompt that a user could give for the object `mask` (H, W), in its pixels; None if there is none.

        Used for training and evaluation. The default says that the type cannot be simulated.
        """
        del mask, rng
        return None

    @classmethod
    def example(cls) -> Self:
        """A valid value on a 64 x 48 (width x height) image, for documentation and conformance tests.

        By default what `simulate` gives for a rectangle on it, else the value of all defaults.

        Raises:
            PromptError: neither gives one, so the type needs an `example` of its own.
        """
        rectangle = np.zeros((48, 64), bool)
        rectangle[12:36, 16:48] = True
        found = cls.simulate(rectangle, np.random.default_rng(0))
        if found is not None:
            return found
        try:
            return cls.model_validate({})
        except ValidationError as error:
            raise PromptError(
                f"the prompt type {cls.type_name()!r} has no example: give it a classmethod 'example()'"
            ) from error

    def check(self, image: tuple[int, int]) -> None:
        """Raise :class:`PromptError` if the prompt cannot apply to an image of (H, W) pixels."""
        del image

    def settled(self) -> Self:
        """The same prompt with everything loaded that it only names, so that it means the same later."""
        return self

    def remark(self) -> str:
        """What a person should know of how a settled prompt was read, such as words understood; empty for nothing."""
        return ""

    def content_key(self) -> str:
        """A stable hash of type and content, for canonical order, duplicates and seeds."""
        return hashlib.sha256(CANONICAL.encode(self.model_dump(mode="json")).encode()).hexdigest()

    def __eq__(self, other: Any) -> bool:
        return type(self) is type(other) and self.content_key() == other.content_key()

    def __hash__(self) -> int:
        return hash(self.content_key())


class SpatialPrompt(Prompt):
    """A prompt that only says which pixels it selects; the visual sampler does the rest."""

    @abstractmethod
    def region(self, size: Grid) -> Region:
        """The pixels selected, on the input grid `size`; an empty one is refused by the caller."""


class TokenPrompt(Prompt):
    """A prompt that brings rows and anchors of its own: text, a reference, memory, audio, an embedding."""

    @abstractmethod
    def encode(self, context: "EncodeContext") -> "Encoded":
        """The groups and anchors of this prompt for the scene at hand."""

    @classmethod
    def build(cls, dims: "Dims") -> "nn.Module | None":
        """The learned part of this prompt type, stored under ``prompts.<distribution>.<name>.``; or None."""
        del dims
        return None
