"""The part of an assembly that says where and how to run."""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

__all__ = ["Compile", "Precision", "RuntimeSection"]

Precision = Literal["float32", "bfloat16", "float16"]
Compile = Literal[False, True, "default", "max-autotune-no-cudagraphs"]
WITH_GRAPHS = ("reduce-overhead", "max-autotune")


class RuntimeSection(BaseModel):
    """Where and how to run; nothing of it changes what is computed beyond the rounding of the precision.

    What a device cannot do is refused when the model is loaded: :func:`seemkit.runtime.check.check_runtime`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|mps|cuda(:[0-9]{1,3})?)$")] = Field(
        "auto", description="auto, cpu, cuda, cuda:1 or mps"
    )
    threads: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="of the CPU; null leaves them as they are"
    )
    precision: Precision = Field(
        "float32",
        description="of the image encoder and of the decoder's layers; sensitive parts stay float32",
    )
    tf32: StrictBool = Field(
        False,
        description="let float32 products on CUDA round their factors to 10 bits; for the whole process",
    )
    compile: Compile = Field(
        False, description="compile the image encoder and the decoder with torch.compile; true is 'default'"
    )
    compile_sizes: Annotated[int, Field(ge=1, le=64)] = Field(
        4, description="compile for so many input sizes at most; images of further sizes run as they are"
    )
    cuda_graphs: StrictBool = Field(False, description="record the decoder of a round once and replay it")
    pin_memory: StrictBool = Field(False, description="copy to and from CUDA by way of pinned memory")
    memory_budget: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        400, description="megabytes that the attention of objects decoded at once may take, roughly"
    )

    @field_validator("threads", "compile_sizes", "memory_budget", mode="before")
    @classmethod
    def check_numbers(cls, number: object, about: ValidationInfo) -> object:
        """Refuse yes and no for a number."""
        if isinstance(number, bool):
            expected = "a number of threads or null" if about.field_name == "threads" else "a whole number"
            raise ValueError(f"expected {expected}")
        return number

    @field_validator("compile", mode="before")
    @classmethod
    def check_compile(cls, mode: object) -> object:
        """Refuse the modes that bring graphs of their own, whose outputs the next call overwrites."""
        if mode in WITH_GRAPHS:
            raise ValueError(
                f"{mode!r} brings CUDA graphs of its own; take true, and cuda_graphs: true beside it"
            )
        return mode

    @classmethod
    def default(cls) -> Self:
        """On whatever device there is, in float32."""
        return cls()
