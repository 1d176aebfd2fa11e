"""Cells: one object of one view, how it is asked for, and what its simulated user has given so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seemkit.geometry.grid import Grid
from seemkit.geometry.region import Region
from seemkit.prompting.prompt import Prompt, SpatialPrompt, TokenPrompt
from seemkit.prompting.read import prompt_type
from seemkit.prompting.simulate import simulate
from seemkit.training.recipe.sections import SharesSection
from seemkit.training.view import Target, View
from seemkit.vocabulary import SLOT

__all__ = ["Asker", "Cell", "Group", "Words"]

Group = Literal["visual", "text"]
"""Whether an object is asked for by what is seen, or by a text or another prompt that brings rows of its own."""
Words = Literal["phrase", "name", "none"]
"""Whether an object is asked for by a phrase of its data set, by its name, or without a text."""

WITHOUT = "train without it: -s objective.prompts.{}=0"
FOLLOWED = 0.5
"""Share of the objects shown in another view that are followed, in recipes that let memory drift."""


@dataclass
class Cell:
    """One object of one view.

    Attributes:
        target: the object.
        valid: (height, width) of the picture on the canvas; regions are on this grid.
        group: which losses it counts for.
        rng: of what is drawn for it while it is answered.
        regions: what spatial prompts and clicks select.
        prompts: prompts that bring rows of their own.
        reference: whether the object in the partner view is shown for it.
        follows: whether it is then looked for as in the next frame of a video, where nobody clicks.
        words: what its text is.
        used: pixels that corrections clicked before, on the grid of `valid`.
        ignored: pixels that count neither way, on the same grid; None if all count.
    """

    target: Target
    valid: tuple[int, int]
    group: Group
    rng: np.random.Generator
    regions: list[Region] = field(default_factory=list)
    prompts: list[TokenPrompt] = field(default_factory=list)
    reference: bool = False
    follows: bool = False
    words: Words = "none"
    used: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), bool))
    ignored: NDArray[np.bool_] | None = None

    @property
    def truth(self) -> NDArray[np.bool_]:
        """The object on the grid of `valid`."""
        height, width = self.valid
        return self.target.mask[:height, :width]

    @property
    def prompted(self) -> NDArray[np.bool_]:
        """Pixels that any prompt so far said something of, on the same grid; an extent says nothing of its own."""
        out = np.zeros(self.valid, bool)
        for region in self.regions:
            if region.kind == "exact":
                out |= region.mask
        return out


class Asker:
    """Draws how objects are asked for. All that a type of prompt needs to take part is a `simulate`.

    Args:
        kinds: prompt types and how often each is simulated, relative to each other.
        shares: how often an object is asked for in each way.
        templates: sentences that a name is put into, as texts are when a vocabulary is encoded.
        called: names, by the key of objects that nobody named, which they are asked for by as well.
        by_source: factors of `kinds` for the objects of each data set, by the name of a type.
    """

    def __init__(
        self,
        kinds: Mapping[type[Prompt], float],
        shares: SharesSection,
        templates: Sequence[str] = (SLOT,),
        called: Mapping[str, str] | None = None,
        by_source: Sequence[Mapping[str, float]] = (),
    ) -> None:
        self.templates = tuple(templates)
        self.called = dict(called or {})
        self.kinds = list(kinds)
        weights = np.array(list(kinds.values()), float)
        self.chances = [
            _normalised(weights * [factors.get(kind.type_name(), 1.0) for kind in kinds])
            for factors in by_source or ({},)
        ]
        self.modes = ("prompt", "reference", "text", "mixed")
        given = np.array([getattr(shares, mode) for mode in self.modes], float)
        self.shares = given / given.sum()

    @property
    def refers(self) -> bool:
        """Whether partner views are wanted."""
        return bool(self.shares[self.modes.index("reference")] > 0)

    @property
    def drawn(self) -> list[str]:
        """Types of prompts that are simulated for any object, sorted."""
        return sorted(
            k.type_name() for k, p in zip(self.kinds, np.sum(self.chances, axis=0), strict=True) if p > 0
        )

    def cells(self, view: View, rng: np.random.Generator, *, partner: bool = True) -> list[Cell]:
        """One cell for each object that the view asks for.

        Args:
            view: the view.
            rng: of what is drawn.
            partner: whether there is a partner view to refer to.

        Raises:
            SimulationError: the plugin of a prompt type is at fault.
        """
        chances = self.chances[view.source if len(self.chances) > 1 else 0]
        cells = [
            self._cell(target, view.valid, child, partner, chances)
            for target, child in _with(view.asked, rng)
        ]
        if view.ignored is not None:
            for cell in cells:
                cell.ignored = view.ignored[: cell.valid[0], : cell.valid[1]]
        return cells

    def _cell(
        self,
        target: Target,
        valid: tuple[int, int],
        rng: np.random.Generator,
        partner: bool,
        chances: NDArray[np.float64],
    ) -> Cell:
        mode = str(rng.choice(self.modes, p=self.shares))
        name = target.name if target.name is not None else self.called.get(target.key)
        texts = target.texts or ((name,) if target.name is None and name is not None else ())
        if mode == "mixed" and not texts and name is not None:
            texts = (name,)  # which others of the picture have, too: what is drawn tells which one is meant
        if (mode in ("text", "mixed") and not texts) or (mode == "reference" and not partner):
            mode = "prompt"
        cell = Cell(target, valid, "text" if mode == "text" else "visual", rng, reference=mode == "reference")
        cell.used = np.zeros(valid, bool)
        cell.follows = cell.reference and bool(rng.random() < FOLLOWED)
        if mode in ("text", "mixed"):
            text = texts[int(rng.integers(len(texts)))]
            cell.words = "name" if text == name else "phrase"
            if cell.words == "name":
                text = self.templates[int(rng.integers(len(self.templates)))].replace(SLOT, text)
            phrase = prompt_type("text").model_validate({"text": text})
            assert isinstance(phrase, TokenPrompt)
            cell.prompts.append(phrase)
        if mode in ("prompt", "mixed"):
            self._simulate(cell, chances)
        return cell

    def _simulate(self, cell: Cell, chances: NDArray[np.float64]) -> None:
        """Give the cell one prompt of a drawn type; a type that finds none for this object gives its mask."""
        kind = self.kinds[int(cell.rng.choice(len(self.kinds), p=chances))] if chances.any() else None
        prompt = simulate(kind, cell.truth, cell.rng, otherwise=WITHOUT) if kind is not None else None
        if isinstance(prompt, TokenPrompt) and prompt.include:
            cell.group = "visual" if cell.prompts else "text"
            cell.prompts.append(prompt)
            return
        region = prompt.region(Grid(*cell.valid)) if isinstance(prompt, SpatialPrompt) else None
        if region is None or not region.mask.any():
            region = Region(cell.truth)
        cell.regions.append(region)


def _normalised(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chances that sum to 1; all 0 where no weight is above 0."""
    return weights / max(float(weights.sum()), 1e-12)


def _with(targets: Sequence[Target], rng: np.random.Generator) -> list[tuple[Target, np.random.Generator]]:
    return list(zip(targets, rng.spawn(len(targets)), strict=True))
