"""The prompt `concept`: an object like the regions that a concept file was saved of."""

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from seemkit.api import (
    ConceptFile,
    ConceptRegion,
    ConceptSource,
    Draw,
    EncodeContext,
    Encoded,
    PromptError,
    TokenPrompt,
    TokenRows,
    open_concept,
)

__all__ = ["Concept"]


class Concept(TokenPrompt):
    """Regions of other images, kept in a concept file: what is like them is looked for here.

    Attributes:
        file: the path of a file that `seemkit concept save` wrote, which is opened when the prompt is encoded;
            or a concept, which travels by its hash. One that other weights made is refused.
    """

    type: Literal["concept"] = "concept"
    file: ConceptSource = Field(description="path of a concept file, or a concept")
    draw: ClassVar[Draw] = "none"

    def encode(self, context: EncodeContext) -> Encoded:
        return context.concept(open_concept(self.file), self.include)

    def settled(self) -> Self:
        return self.model_copy(update={"file": open_concept(self.file)})

    @classmethod
    def parse(cls, text: str) -> Self:
        if not text.endswith(".concept"):
            raise PromptError(f"--concept {text!r} is not of the form FILE.concept", path="concept")
        return cls(file=text)

    @classmethod
    def example(cls) -> Self:
        wave = np.sin(np.arange(96)).astype(np.float32)  # of the width of the bundled model, of no weights
        rows = (TokenRows(wave[None]),) * 3
        region = ConceptRegion(True, wave, rows, (), (np.array([8], np.int32),) * 3)
        return cls(file=ConceptFile((region,), name="example"))
