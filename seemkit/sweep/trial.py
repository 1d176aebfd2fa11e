"""What became of one model of a component: composed, refused with a sentence, or failed."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["BackboneTrial", "State", "TextTrial", "Trial"]

State = Literal["composes", "refused", "failed"]


class Trial(BaseModel):
    """One model, put into an assembly in which everything else is small and known to work."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="its name, as the option `model` of the component takes it")
    state: State = Field(
        description="composes: all shapes are as declared; refused: with a sentence, before anything ran; "
        "failed: anything else, which is a fault of the component"
    )
    reason: str | None = Field(None, description="a sentence that says why it was refused or failed")
    parameters: int | None = Field(
        None, description="of the component's module, what it adds to the model included"
    )
    ran: bool = Field(False, description="whether it ran with numbers, and all that it gave were finite")
    not_ran: str | None = Field(None, description="why a model that composes did not run with numbers")
    seconds: float = Field(0.0, description="that the trial took, on a machine with other work to do")


class BackboneTrial(Trial):
    """A backbone, under the fpn pixel decoder."""

    channels: tuple[int, ...] = Field((), description="of its maps, finest first")
    strides: tuple[int, ...] = Field((), description="of its maps, finest first")
    divisor: int | None = Field(None, description="what the sides of an input are multiples of")
    fixed_size: tuple[int, int] | None = Field(None, description="(H, W) of the input if there is but one")
    adapters: tuple[str, ...] = Field((), description="what the component puts around the model, and why")


class TextTrial(Trial):
    """A text encoder."""

    width: int | None = Field(None, description="D, of the space that it shares with class embeddings")
