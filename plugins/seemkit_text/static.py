"""A static text encoder: a vector per WordPiece from a packaged table, no transformer; a text is their mean.

The table is distilled from MiniLM-L6 (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0), in the manner of
model2vec; ``seemkit.training.text_table`` makes it and says how.
"""

import difflib
import math
from collections.abc import Sequence
from importlib.resources import as_file, files

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator
from safetensors import safe_open
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import Tensor, nn

from seemkit.api import Phrase

__all__ = ["Static"]

SUFFIX = ".safetensors"
UNKNOWN = "[UNK]"


class Static:
    """Vectors of WordPieces from a table of 4 MB; fast, order-free, the same on every machine."""

    class Options(BaseModel):
        """Which table."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        table: str = Field("minilm-128", description="a table that the package carries")

        @field_validator("table")
        @classmethod
        def check_table(cls, table: str) -> str:
            """Refuse a table that the package does not carry."""
            known = list_tables()
            if table not in known:
                near = difflib.get_close_matches(table, known, n=1) or known
                raise ValueError(f"{table!r} is no packaged text table; did you mean {near[0]!r}?")
            return table

    @staticmethod
    def declare(options: Options) -> int:
        """D, the width of the table, from its header."""
        with (
            as_file(files("seemkit_text") / (options.table + SUFFIX)) as path,
            safe_open(path, framework="np") as file,
        ):
            return int(file.get_slice("rows").get_shape()[1])

    @staticmethod
    def build(options: Options) -> nn.Module:
        """Return the encoder with its table."""
        with as_file(files("seemkit_text") / (options.table + SUFFIX)) as path:
            tensors = load_file(path)
        vocabulary = bytes(tensors["vocabulary"].numpy()).decode().split("\n")
        return StaticEncoder(vocabulary, tensors["rows"], tensors["scale"])


class StaticEncoder(nn.Module):
    """Texts to the vectors of their WordPieces and the mean of these.

    The table is no part of the state dict: it comes with the package. Words that it does not have, and texts
    without any word, are the row ``[UNK]``.

    Args:
        vocabulary: V WordPieces, ``[UNK]`` among them.
        rows: (V, D) int8.
        scale: (V,) float16, what a row is multiplied with.
    """

    rows: Tensor
    scale: Tensor

    def __init__(self, vocabulary: Sequence[str], rows: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.dim = int(rows.shape[1])
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("scale", scale.float(), persistent=False)
        ids = {token: index for index, token in enumerate(vocabulary)}
        self.unknown = ids[UNKNOWN]
        self.tokenizer = Tokenizer(models.WordPiece(ids, unk_token=UNKNOWN))
        self.tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        self.tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        self.tokenizer.enable_truncation(256)

    def encode(self, texts: Sequence[str]) -> list[Phrase]:
        """Tokens (T, D) and embedding (D,) of each text, un-normalised; T is at least 1 and at most 256."""
        whole = [text.encode("utf-8", "replace").decode() for text in texts]  # half a surrogate pair is a '?'
        return [self._phrase(list(line.ids)) for line in self.tokenizer.encode_batch(whole)]

    def forward(self, ids: Tensor) -> Tensor:
        """WordPiece ids (..., T) to their vectors (..., T, D)."""
        return self.rows[ids].to(self.scale.dtype) * self.scale[ids][..., None]

    def _phrase(self, ids: list[int]) -> Phrase:
        tokens = self(torch.tensor(ids or [self.unknown], device=self.rows.device))  # T x D
        return Phrase(tokens=tokens, embedding=tokens.mean(0))


def list_tables() -> list[str]:
    """Names of the tables in the package."""
    found = (entry.name for entry in files("seemkit_text").iterdir())
    return sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX))
