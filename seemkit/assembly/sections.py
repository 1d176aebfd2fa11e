"""The parts of an assembly: component slots, preprocessing, weights and runtime."""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializeAsAny,
    StringConstraints,
    field_validator,
    model_validator,
)

__all__ = [
    "NoOptions",
    "PreprocessSection",
    "PublishedSection",
    "RuntimeSection",
    "Slot",
    "ThresholdsSection",
    "WeightsSection",
    "check_relative",
]

Size = Annotated[int, Field(ge=1, le=100_000)]
NAME = "[A-Za-z0-9][A-Za-z0-9_.-]{0,95}"
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Triple = tuple[float, float, float]


class NoOptions(BaseModel):
    """The options of a component that takes none."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Slot(BaseModel):
    """One component and its options.

    Attributes:
        use: the name as the configuration has it.
        component: its qualified name, such as ``seemkit/timm``.
        settings: the options, validated by the model ``Options`` of the component; hand it to its ``build``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: str
    component: str
    settings: SerializeAsAny[BaseModel]

    def options(self) -> dict[str, JsonValue]:
        """The options that were given, as plain data; defaults are left out."""
        return dict(self.settings.model_dump(mode="json", exclude_unset=True))


class PreprocessSection(BaseModel):
    """How an image becomes the input of the backbone; what is None is as the backbone declares.

    Attributes:
        short: the short side after resizing, in pixels; None keeps the size.
        long: the long side is at most this; None is no limit.
        divisor: the padded height and width are multiples of this.
        mean: per channel of RGB in [0, 255], subtracted.
        std: per channel likewise, divided by.
        fixed: (H, W) that every input is padded to.
        resample: the filter of the resize.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    short: Size | None = 800
    long: Size | None = 1333
    divisor: Size | None = None
    mean: Triple | None = None
    std: Triple | None = None
    fixed: tuple[Size, Size] | None = None
    resample: Literal["bicubic", "bilinear"] = "bicubic"

    @field_validator("std")
    @classmethod
    def check_std(cls, std: Triple | None) -> Triple | None:
        """Refuse a deviation that nothing can be divided by."""
        if std is not None and min(std) <= 0:
            raise ValueError("expected three numbers above 0")
        return std


class PublishedSection(BaseModel):
    """The file that somebody published, of which weights are made; only `seemkit pull` gets it.

    Attributes:
        repo: ``owner/name`` on the Hugging Face Hub.
        file: a ``.pt`` or ``.pth`` file in it.
        revision: branch, tag or commit of the repository.
        sha256: of the published file, in hexadecimal; None takes what is there at first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    repo: Annotated[str, StringConstraints(pattern=f"^{NAME}/{NAME}$")]
    file: str
    revision: Annotated[str, StringConstraints(pattern=f"^{NAME}$")] = "main"
    sha256: Hash | None = None

    @field_validator("file")
    @classmethod
    def check_file(cls, file: str) -> str:
        """Refuse what is not a PyTorch file in the repository."""
        return check_relative(file, (".pt", ".pth"))


class WeightsSection(BaseModel):
    """The weights that belong to an assembly: a file of ours, or one that is made of a published file.

    Attributes:
        file: a ``.safetensors`` file beside the configuration, or below it; it comes before `published`.
        published: what to make the weights of.
        license: terms of the weights.
        sha256: of `file`, in hexadecimal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str | None = None
    published: PublishedSection | None = None
    license: str | None = None
    sha256: Hash | None = None

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


class ThresholdsSection(BaseModel):
    """When a query counts in everything mode.

    Attributes:
        score: the largest class probability of a query must exceed it.
        overlap: share of its own mask that a query must win.
        instances: how many instances at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    score: Annotated[float, Field(ge=0, le=1)] = 0.8
    overlap: Annotated[float, Field(ge=0, le=1)] = 0.8
    instances: Annotated[int, Field(ge=1, le=10_000)] = 100


class RuntimeSection(BaseModel):
    """Where and how to run; nothing of it changes what is computed beyond rounding.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        threads: of the CPU; None leaves them as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|mps|cuda(:[0-9]{1,3})?)$")] = "auto"
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None

    @field_validator("threads", mode="before")
    @classmethod
    def check_threads(cls, threads: object) -> object:
        """Refuse yes and no for a number."""
        if isinstance(threads, bool):
            raise ValueError("expected a number of threads or null")
        return threads

    @classmethod
    def default(cls) -> Self:
        """On whatever device there is, in float32."""
        return cls()


def check_relative(path: str, suffixes: tuple[str, ...]) -> str:
    """`path` if it stays below the folder it is relative to and has one of `suffixes`; raises ValueError."""
    parts = path.split("/")
    if not path.isprintable() or "\\" in path or ":" in path or path.startswith(("/", "~")):
        raise ValueError("expected a relative path with '/', below the folder of the configuration")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError(
            "expected a path without '.', '..' or empty parts, below the folder of the configuration"
        )
    if not path.endswith(suffixes) or parts[-1] in suffixes:
        raise ValueError(f"expected a file that ends in {' or '.join(suffixes)}")
    return path
