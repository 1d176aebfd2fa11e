"""The parts of an assembly: component slots, preprocessing, weights and runtime."""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from seemkit.choice.relative_path import check_relative
from seemkit.vocabulary import Vocabulary

__all__ = [
    "PreprocessSection",
    "PublishedSection",
    "ThresholdsSection",
    "VocabularySection",
    "WeightsSection",
]

Size = Annotated[int, Field(ge=1, le=100_000)]
NAME = "[A-Za-z0-9][A-Za-z0-9_.-]{0,95}"
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Triple = tuple[float, float, float]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class PreprocessSection(BaseModel):
    """How an image becomes the input of the backbone; what is None is as the backbone declares."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    short: Size | None = Field(800, description="short side after resizing, in pixels; null keeps the size")
    long: Size | None = Field(1333, description="the long side is at most this; null is no limit")
    divisor: Size | None = Field(None, description="the padded height and width are multiples of this")
    mean: Triple | None = Field(None, description="per channel of RGB in [0, 255], subtracted")
    std: Triple | None = Field(None, description="per channel of RGB in [0, 255], divided by")
    fixed: tuple[Size, Size] | None = Field(None, description="(H, W) that every input is padded to")
    resample: Literal["bicubic", "bilinear"] = Field("bicubic", description="the filter of the resize")

    @field_validator("std")
    @classmethod
    def check_std(cls, std: Triple | None) -> Triple | None:
        """Refuse a deviation that nothing can be divided by."""
        if std is not None and min(std) <= 0:
            raise ValueError("expected three numbers above 0")
        return std


class PublishedSection(BaseModel):
    """The file that somebody published, of which weights are made; only `seemkit pull` gets it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repo: Annotated[str, StringConstraints(pattern=f"^{NAME}/{NAME}$")] = Field(
        description="owner/name on the Hugging Face Hub"
    )
    file: str = Field(description="a .pt or .pth file in the repository")
    revision: Annotated[str, StringConstraints(pattern=f"^{NAME}$")] = Field(
        "main", description="branch, tag or commit of the repository"
    )
    sha256: Hash | None = Field(
        None, description="of the published file, in hexadecimal; null takes what is there at first"
    )

    @field_validator("file")
    @classmethod
    def check_file(cls, file: str) -> str:
        """Refuse what is not a PyTorch file in the repository."""
        return check_relative(file, (".pt", ".pth"))


class WeightsSection(BaseModel):
    """The weights that belong to an assembly: a file of ours, or one that is made of a published file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Annotated[str, Field(json_schema_extra={"pattern": r"^[^/~\\:][^\\:]*\.safetensors$"})] | None = (
        Field(
            None,
            description="a .safetensors file beside the configuration, or below it; it comes before `published`",
        )
    )
    published: PublishedSection | None = Field(None, description="what to make the weights of")
    license: str | None = Field(None, description="terms of the weights")
    sha256: Hash | None = Field(None, description="of `file`, in hexadecimal")

    @field_validator("file")
    @classmethod
    def check_file(cls, file: str | None) -> str | None:
        """Refuse what is not a safetensors file beside the configuration."""
        return None if file is None else check_relative(file, (".safetensors",))

    @model_validator(mode="after")
    def check_source(self) -> Self:
        """Refuse weights that are nowhere."""
        if self.file is None and self.published is None:
            raise ValueError("expected 'file', a .safetensors file, or 'published'")
        if self.sha256 is not None and self.file is None:
            raise ValueError("'sha256' is that of 'file'; that of a published file is 'published.sha256'")
        return self


class VocabularySection(BaseModel):
    """A vocabulary that is more than a list of names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[Label, ...] = Field(description="names that labels are chosen from")
    synonyms: dict[str, tuple[Label, ...]] = Field(
        default_factory=dict, description="other words for a name, by name"
    )
    templates: tuple[Label, ...] | None = Field(
        None, description="sentences with {} for the word; null takes those of the text encoder"
    )
    background: tuple[Label, ...] = Field(("background",), description="words for what is none of the names")

    @model_validator(mode="after")
    def check_words(self) -> Self:
        """Refuse what is no vocabulary, such as a synonym of no name."""
        self.value()
        return self

    def value(self) -> Vocabulary:
        """As a vocabulary."""
        return Vocabulary(
            self.names, synonyms=self.synonyms, templates=self.templates, background=self.background
        )


class ThresholdsSection(BaseModel):
    """When a query counts in everything mode."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    score: float = Field(0.8, ge=0, le=1, description="the largest class probability of a query exceeds it")
    overlap: float = Field(0.8, ge=0, le=1, description="share of its own mask that a query must win")
    instances: int = Field(100, ge=1, le=10_000, description="how many instances at most")
