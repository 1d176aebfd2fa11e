"""The prompt `text`: the object in words."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field

from seemkit.api import Anchor, Draw, EncodeContext, Encoded, Group, TokenPrompt

__all__ = ["Text"]

MAX_LENGTH = 4000
"""Characters; text encoders read a few dozen words of them."""


def _strip(text: object) -> object:
    if isinstance(text, str) and not text.strip():
        raise ValueError(f"text {text!r} is empty, expected a word at least")
    return text.strip() if isinstance(text, str) else text


class Text(TokenPrompt):
    """A word, phrase or sentence that names the object; an excluded one acts in selection only."""

    type: Literal["text"] = "text"
    text: Annotated[
        str,
        BeforeValidator(_strip),
        Field(min_length=1, max_length=MAX_LENGTH, description="such as: the dog"),
    ]
    draw: ClassVar[Draw] = "text"

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
