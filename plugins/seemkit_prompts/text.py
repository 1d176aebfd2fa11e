"""The prompt `text`: the object in words."""

from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator
from seemkit.api import Anchor, Draw, EncodeContext, Encoded, Group, TokenPrompt

__all__ = ["Text"]

MAX_LENGTH = 4000
"""Characters; text encoders read a few dozen words of them."""


class Text(TokenPrompt):
    """A word, phrase or sentence that names the object; excluded, it acts in the choice of the answer only."""

    type: Literal["text"] = "text"
    text: str = Field(min_length=1, max_length=MAX_LENGTH)
    draw: ClassVar[Draw] = "text"

    @field_validator("text", mode="before")
    @classmethod
    def _strip(cls, text: object) -> object:
        if not isinstance(text, str):
            return text
        if not text.strip():
            raise ValueError(f"text {text!r} is empty, expected a word at least")
        return text.strip()

    def encode(self, context: EncodeContext) -> Encoded:
        phrase = context.text([self.text])[0]
        anchor = Anchor("class", phrase.embedding, "phrase", self.include)
        if not self.include:
            return Encoded(answers=(anchor,))
        return Encoded((Group("phrase", context.phrase_rows(phrase.tokens)),), (anchor,))

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(text=text)

    @classmethod
    def example(cls) -> Self:
        return cls(text="the dog on the left")
