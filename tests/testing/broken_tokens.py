"""Sound prompts that bring rows of their own, and what can be wrong with them: rows, learned parts."""

from typing import Any, Literal, Self

from seemkit import api
from seemkit.api import Anchor, Encoded, Group
from tests.testing.broken_spatial import Odd


class Word(api.TokenPrompt):
    """A token prompt that keeps the contract."""

    type: Literal["word"] = "word"
    text: str

    def encode(self, context: api.EncodeContext) -> Encoded:
        phrase = context.text([self.text])[0]
        anchor = Anchor("class", phrase.embedding, "phrase", self.include)
        return Encoded((Group("phrase", context.phrase_rows(phrase.tokens)),), (anchor,))

    @classmethod
    def example(cls) -> Self:
        return cls(text="a dog")


class Style(api.TokenPrompt):
    """A token prompt with a learned part that keeps the contract."""

    type: Literal["style"] = "style"
    number: int

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims)

    def encode(self, context: api.EncodeContext) -> Encoded:
        import torch

        module: Any = context.module
        row = module(torch.tensor([self.number % 4], device=next(module.parameters()).device))
        return Encoded((Group("style", row),), (Anchor("mask", row[0], "style", self.include),))

    @classmethod
    def example(cls) -> Self:
        return cls(number=1)


def part(dims: api.Dims, *, width: int | None = None, break_it: str = "") -> Any:
    """A learned part, sound or broken in one way."""
    import torch
    from torch import nn

    class Part(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(4, width or dims.channels)
            if break_it == "unused":
                self.unused = nn.Linear(3, 3)
            if break_it == "unsaved":
                self.offset = torch.randn(dims.channels)
            if break_it == "counts":
                self.register_buffer("calls", torch.zeros(()))

        def forward(self, index: Any) -> Any:
            if isinstance(index, Odd):
                index = torch.tensor([len(index.value)], device=self.table.weight.device)
            row = self.table(index)
            if break_it == "unsaved":
                row = row + self.offset.to(row)
            if break_it == "graph break":
                torch._dynamo.graph_break()
            if break_it == "counts":
                self.calls += 1
            return row

    return Part()


# Rows


class Silent(Word):
    """A word without an anchor."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        return Encoded(super().encode(context).groups, ())


class Agreeable(Word):
    """A word that includes what it excludes."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        return (
            super().encode(context)
            if self.include
            else self.model_copy(update={"include": True}).encode(context)
        )


class Doubling(Word):
    """A word that changes the phrase it was given."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        found = super().encode(context)
        context.text([self.text])[0].embedding.mul_(2)
        return found


class Homebound(Word):
    """A word with an anchor made on the CPU."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        import torch

        found = super().encode(context)
        made = Anchor("class", torch.ones(context.dims.text), "phrase", self.include)
        return Encoded(found.groups, (*found.answers, made))


class Single(Word):
    """A word of single precision."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        found = super().encode(context)
        return Encoded(tuple(Group(g.role, g.content.float()) for g in found.groups), found.answers)  # type: ignore[union-attr]


# Learned parts


class Rigid(Style):
    """A style of one width."""

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims, width=96)


class Wasteful(Style):
    """A style with a parameter for nothing."""

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims, break_it="unused")


class Forgetful(Style):
    """A style that does not save all that it is."""

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims, break_it="unsaved")


class Fragmented(Style):
    """A style that no compiler takes whole."""

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims, break_it="graph break")


class Peculiar(Style):
    """A style whose learned part takes what no export does."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        module: Any = context.module
        row = module(Odd("a" * (self.number % 4)))
        return Encoded((Group("style", row),), (Anchor("mask", row[0], "style", self.include),))


class Counting(Style):
    """A style that counts its calls in a buffer."""

    @classmethod
    def build(cls, dims: api.Dims) -> Any:
        return part(dims, break_it="counts")
