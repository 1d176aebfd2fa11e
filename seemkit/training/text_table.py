"""Make the static text table: a vector per WordPiece, whose mean over a text is close to MiniLM's embedding.

``python -m seemkit.training.text_table OUT.safetensors`` takes about ten minutes on two cores. The recipe
is that of model2vec (each WordPiece through MiniLM alone, PCA to 128 dimensions, weights that fall with
frequency: Arora et al., "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", ICLR 2017) and then
a fit: the vectors are trained until the mean over a text points where MiniLM's embedding of the text
points, on the names and definitions of ImageNet-21k that timm carries and on names in plain sentences. Of
the names and definitions 4,000 are held out for the figure that is stored in the file.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from seemkit.training.sentences import MiniLM

__all__ = ["Table", "build_table", "write_table"]

DIM = 128
HELD_OUT = 4000
SENTENCES = 12_000
SMOOTHING = 1e-4  # a of a / (a + p(word)), Arora et al.
TEMPLATES = (
    "a photo of a {}",
    "the {}",
    "the {} on the left",
    "a red {}",
    "a small {}",
    "the {} in the background",
    "a person with a {}",
    "two {}s",
    "the black {}",
    "a {} on the table",
    "the white {}",
    "a close-up photo of the {}",
    "the {} next to the {}",
)


@dataclass(frozen=True, eq=False)
class Table:
    """Vectors of WordPieces.

    Attributes:
        vocabulary: V WordPieces.
        rows: (V, 128) float32; the mean over the WordPieces of a text is its embedding.
        closeness: mean cosine with MiniLM (in the same 128 dimensions) over the texts held out.
    """

    vocabulary: tuple[str, ...]
    rows: Tensor
    closeness: float


def write_table(table: Table, path: Path) -> None:
    """Write rows as int8 with a scale per row, the vocabulary as UTF-8 lines, and the figure as metadata."""
    scale = table.rows.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
    lines = "\n".join(table.vocabulary).encode()
    tensors = {
        "rows": (table.rows / scale).round().to(torch.int8),
        "scale": scale[:, 0].to(torch.float16),
        "vocabulary": torch.frombuffer(bytearray(lines), dtype=torch.uint8),
    }
    metadata = {
        "source": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)",
        "closeness": f"{table.closeness:.4f}",
    }
    save_file(tensors, path, metadata=metadata)


def build_table(
    teacher: MiniLM,
    texts: Sequence[str],
    *,
    names: Sequence[str] = (),
    dim: int = DIM,
    held_out: int = HELD_OUT,
    sentences: int = SENTENCES,
    epochs: int = 8,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> Table:
    """Distil the teacher on texts.

    Args:
        teacher: MiniLM.
        texts: names and definitions, of which `held_out` are not trained on.
        names: put into `sentences` plain sentences that are trained on too.
        dim: width of the table.
        held_out: how many texts measure the result.
        sentences: how many sentences are made of names.
        epochs: passes over all texts.
        seed: of the choice of texts and of their order.
        say: is told of progress.
    """
    rng = np.random.default_rng(seed)
    kept = [index for index, token in enumerate(teacher.vocabulary) if _is_kept(token)]
    vocabulary = tuple(teacher.vocabulary[index] for index in kept)
    say(f"{len(kept)} of {len(teacher.vocabulary)} WordPieces are kept")
    words = functional.normalize(teacher.encode_tokens(kept), dim=1)  # V x 384
    mean, basis = _principal(words, dim)
    drawn = _sentences(names, sentences, rng)
    say(f"encoding {len(texts)} texts and {len(drawn)} sentences")
    goal = torch.cat((functional.normalize(teacher.encode([*texts, *drawn]), dim=1), words))
    goal = functional.normalize((goal - mean) @ basis, dim=1)
    place = {index: row for row, index in enumerate(kept)}
    unknown = vocabulary.index("[UNK]")
    bags = [[place.get(i, unknown) for i in teacher.split(text)] or [unknown] for text in (*texts, *drawn)]
    bags += [[row] for row in range(len(kept))]
    order = rng.permutation(len(texts))
    test, train = order[:held_out], np.concatenate((order[held_out:], np.arange(len(texts), len(bags))))
    start = (words - mean) @ basis * _frequency_weights(vocabulary)[:, None]
    rows = start / start.norm(dim=1).median()
    say(f"before the fit: cosine {_closeness(rows, bags, goal, test):.3f} on {len(test)} texts held out")
    rows = _fit(rows, bags, goal, train, epochs, rng)
    closeness = _closeness(rows, bags, goal, test) if held_out else 0.0
    say(f"after the fit: cosine {closeness:.3f}")
    return Table(vocabulary, rows, closeness)


def _is_kept(token: str) -> bool:
    """Words of the Latin script, digits and punctuation; no unused slots and no other script."""
    if token.startswith("[unused"):
        return False
    return all(ord(c) <= 0x24F or unicodedata.category(c)[0] in "PS" for c in token)


def _principal(vectors: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Mean (C,) and the first principal directions (C, dim), signs fixed by their largest entries."""
    mean = vectors.mean(0)
    basis = torch.linalg.svd(vectors - mean, full_matrices=False).Vh[:dim].T
    sign = basis.gather(0, basis.abs().argmax(0, keepdim=True)).sign()
    return mean, basis * sign


def _frequency_weights(vocabulary: Sequence[str]) -> Tensor:
    """a / (a + p), with p by Zipf's law from the order of the words; single characters count as frequent."""
    rank = torch.arange(len(vocabulary), dtype=torch.float32) - vocabulary.index("the") + 1
    probability = torch.where(rank > 0, 1 / rank.clamp(min=1), 0.02)
    probability = probability / (1 / torch.arange(1, len(vocabulary) + 1)).sum()
    return SMOOTHING / (SMOOTHING + probability)


def _sentences(names: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    if not names:
        return []
    made = []
    for index in rng.permutation(len(names))[:count]:
        template = TEMPLATES[int(rng.integers(len(TEMPLATES)))]
        made.append(template.format(names[int(index)], names[int(rng.integers(len(names)))]))
    return made


def _fit(
    rows: Tensor,
    bags: Sequence[Sequence[int]],
    goal: Tensor,
    train: NDArray[np.int64],
    epochs: int,
    rng: np.random.Generator,
) -> Tensor:
    """Train the rows by 1 - cosine between means over bags and goals."""
    weight = nn.Parameter(rows.clone())
    optimizer = torch.optim.SparseAdam([weight], lr=0.007)
    for epoch in range(epochs):
        optimizer.param_groups[0]["lr"] = 0.007 * (1 - epoch / epochs)
        order = rng.permutation(train)
        for begin in range(0, len(order), 256):
            batch = order[begin : begin + 256]
            mean = _means(weight, [bags[i] for i in batch], sparse=True)
            loss = (1 - functional.cosine_similarity(mean, goal[batch])).mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()  # type: ignore[no-untyped-call]
    return weight.detach()


def _means(rows: Tensor, bags: Sequence[Sequence[int]], *, sparse: bool = False) -> Tensor:
    flat = torch.tensor([index for bag in bags for index in bag])
    starts = torch.tensor(np.cumsum([0, *(len(bag) for bag in bags[:-1])]))
    return functional.embedding_bag(flat, rows, starts, mode="mean", sparse=sparse)


def _closeness(rows: Tensor, bags: Sequence[Sequence[int]], goal: Tensor, test: NDArray[np.int64]) -> float:
    mean = _means(rows, [bags[i] for i in test])
    return float(functional.cosine_similarity(mean, goal[test]).mean())


def _imagenet_texts() -> tuple[list[str], list[str]]:
    """Names and definitions of ImageNet-21k, from timm's package data."""
    folder = files("timm.data") / "_info"
    columns = [
        [line.split("\t", 1)[1] for line in (folder / name).read_text(encoding="utf-8").splitlines()]
        for name in ("imagenet_synset_to_lemma.txt", "imagenet_synset_to_definition.txt")
    ]
    names = sorted({name.strip() for line in columns[0] for name in line.split(",")})
    return names, columns[1]


def main(arguments: Sequence[str]) -> None:
    """Write the table to the one path given."""
    if len(arguments) != 1:
        raise SystemExit("usage: python -m seemkit.training.text_table OUT.safetensors")
    torch.manual_seed(0)
    names, definitions = _imagenet_texts()
    write_table(build_table(MiniLM(), [*names, *definitions], names=names), Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
