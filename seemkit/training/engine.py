"""The loop of `seemkit train`: any number of processes, checkpoints by time, and a run that goes on where it was.

Nothing of a run depends on when or where it was interrupted: the i-th picture and all that is drawn for it follow from
the seed and i, sums of losses are divided by counts of the whole step, and statistics of batch norms stay as they are.
"""

import contextlib
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler

from seemkit.errors import SeemkitError
from seemkit.training.batch import Batch, Divisors
from seemkit.training.checkpoint import read_checkpoint, save_checkpoint
from seemkit.training.feed import Drawn, Feed, SourceFault
from seemkit.training.gallery import draw_gallery
from seemkit.training.journal import Journal, NoJournal
from seemkit.training.measure import PROTOCOL, measure
from seemkit.training.objective import Objective, Step
from seemkit.training.optimiser import Average, build_optimiser, rate_at, set_rate
from seemkit.training.orphans import end_with
from seemkit.training.processes import Processes
from seemkit.training.recipe.recipe import Recipe
from seemkit.training.view import View

__all__ = ["Outcome", "Run"]


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        steps: how many were made in all.
        loss: of the last one; not a number if none was made now.
        before: figures on what is held out, before the first step.
        after: the same at the end.
        faults: what was wrong with the data.
    """

    steps: int
    loss: float
    before: Mapping[str, float]
    after: Mapping[str, float]
    faults: tuple[SourceFault, ...]


class Run:
    """One run of a recipe in a folder.

    Args:
        recipe: what is done.
        objective: the losses, with the network on the device of the processes.
        feed: the pictures.
        rates: of every parameter, by name.
        folder: of checkpoints, logs and pictures.
        processes: this one and those beside it.
        held: views that are measured on.
        shown: views whose predictions are drawn.
        faults: what is known to be wrong with the data.
        bar: whether there is somebody to see a bar.
    """

    def __init__(
        self,
        recipe: Recipe,
        objective: Objective,
        feed: Feed,
        rates: Mapping[str, float],
        folder: Path,
        processes: Processes,
        *,
        held: Sequence[View] = (),
        shown: Sequence[View] = (),
        faults: Sequence[SourceFault] = (),
        bar: bool = False,
    ) -> None:
        self.recipe = recipe
        self.objective = objective
        self.network = objective.network
        self.feed = feed
        self.folder = folder
        self.processes = processes
        self.held = list(held)
        self.shown = list(shown)
        self.faults = list(faults)
        self.bar = bar
        self.part = split(recipe, processes.count)
        self.optimiser = build_optimiser(self.network, rates, recipe.optimiser)
        self.average = Average(self.network, recipe.optimiser.average)
        self.measured: dict[str, float] = {}
        self.journal: NoJournal = NoJournal()

    def __call__(self) -> Outcome:
        """Train until the recipe is done; a folder with a checkpoint of the same recipe is gone on with.

        Raises:
            SeemkitError: the checkpoint is of another run, or data cannot be used and the recipe says to stop.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        found = read_checkpoint(self.folder, self.recipe, self.feed.listing, self.feed.asker.drawn)
        first, steps = 0, self.recipe.run.steps
        if found is not None:
            found.restore(self.network, self.optimiser, self.average)
            first, self.measured = found.step, dict(found.measured)
        self._settle()
        module, optimiser = self.processes.prepare(self.objective, self.optimiser)
        is_first = self.processes.is_first
        if is_first:
            for stale in self.folder.glob(".*.part"):  # of a process that was killed while it wrote
                stale.unlink(missing_ok=True)
            self.journal = Journal(
                self.folder, first, steps, tensorboard=self.recipe.run.tensorboard, bar=self.bar
            )
        loss = math.nan
        with self.journal:
            self._report(self.faults)
            if not first and is_first:
                self.measured = self._measure(0)
            saved = time.monotonic()
            for step, parts in self._batches(first, steps):
                loss = self._step(step, parts, module, optimiser)
                done = step + 1
                if is_first and (time.monotonic() - saved >= 60 * self.recipe.run.minutes or done == steps):
                    self._save(done)
                    saved = time.monotonic()
                self._look(done)
            after = self._measure(steps) if is_first else {}
        faults = self.journal.known_faults if isinstance(self.journal, Journal) else ()
        return Outcome(steps, loss, self.measured, after, faults)

    def _settle(self) -> None:
        """Training mode, but for what has statistics of batches: they stay those of the start."""
        self.network.train()
        self.network.image_encoder.eval()
        for module in self.network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()

    def _step(self, step: int, parts: Sequence[Batch], module: nn.Module, optimiser: Any) -> float:
        """One step of the optimiser; its loss."""
        run, seed = self.recipe.run, self.recipe.run.seed
        set_rate(
            self.optimiser,
            rate := self.recipe.optimiser.rate * rate_at(step, run.steps, self.recipe.optimiser.schedule),
        )
        counts = sum((self.objective.divisors(part) for part in parts), Divisors())
        divisors = Divisors.from_tensor(self.processes.sum(counts.to_tensor(self.processes.device)))
        rounds = int(np.random.default_rng([seed, 4, step]).integers(self.recipe.objective.clicks.rounds + 1))
        about = Step(step, rounds, divisors, seed)
        torch.manual_seed(int(np.random.default_rng([seed, 5, step, self.processes.rank]).integers(2**62)))
        totals: dict[str, Tensor] = {}
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            with contextlib.nullcontext() if last else self.processes.alone(module):
                terms = module(part, about)
                total = torch.stack(list(terms.values())).sum()
                self.processes.backward(total * self.processes.count)  # gradients are averaged over processes
            for name, value in terms.items():
                totals[name] = totals.get(name, torch.zeros_like(value.detach())) + value.detach()
        learning = [p for group in self.optimiser.param_groups for p in group["params"]]
        norm = self.processes.clip(learning, self.recipe.optimiser.clip)
        if math.isfinite(norm):
            optimiser.step()
            self.average.follow(self.network, step)
        else:
            self.journal.say(f"step {step}: the gradient is not finite; the step is skipped")
        optimiser.zero_grad(set_to_none=True)
        summed = self._sum(totals)
        loss = sum(summed.values())
        self.journal.advance(step, loss)
        if step % run.log == 0 or step == run.steps - 1:
            self.journal.write(step, {"loss": loss, **summed, "rate": rate, "gradient": norm})
        return loss

    def _sum(self, totals: Mapping[str, Tensor]) -> dict[str, float]:
        """Terms of all processes; one that has no complete picture has no term of everything mode."""
        names = self.objective.terms
        zero = torch.zeros((), dtype=torch.float64, device=self.processes.device)
        values = torch.stack([totals.get(name, zero).double() for name in names])
        added = self.processes.sum(values).tolist()
        return {name: value for name, value in zip(names, added, strict=True) if name in totals or value}

    def _batches(self, first: int, steps: int) -> Iterator[tuple[int, list[Batch]]]:
        """The parts of each step that are this process's."""
        run, processes = self.recipe.run, self.processes
        numbers = Numbers(first, steps, run.batch, run.accumulate, processes.count, processes.rank)
        loader = DataLoader(
            self.feed,
            batch_size=self.part,
            sampler=numbers,
            num_workers=run.workers if len(numbers) else 0,
            collate_fn=_as_list,
            worker_init_fn=partial(end_with, os.getpid()),
        )
        arriving = iter(loader)
        for step in range(first, steps):
            yield step, [self._accept(next(arriving)) for _ in range(run.accumulate)]

    def _accept(self, drawn: Sequence[Drawn]) -> Batch:
        """What was drawn as one batch."""
        self._report([fault for each in drawn for fault in each.faults])
        for each in drawn:
            if each.error:
                raise SeemkitError(each.error, path="objective.prompts")
            if each.batch is None:
                said = f": {each.faults[0].cause}" if each.faults else ", for they have no objects"
                raise SeemkitError(
                    f"no picture can be used of many that were tried in a row{said}", path="data.sources"
                )
        return Batch.join(each.batch for each in drawn if each.batch is not None)

    def not_taught(self) -> list[str]:
        """Parameters that were to be moved and that no step had a gradient for: nothing drawn told of them."""
        known = self.optimiser.state
        return [name for name, p in self.network.named_parameters() if p.requires_grad and p not in known]

    def _report(self, faults: Sequence[SourceFault]) -> None:
        """Enter faults; the first ends the run if the recipe says so."""
        self.journal.faults(faults)
        if faults and self.recipe.data.on_error == "stop":
            first = faults[0]
            raise SeemkitError(
                f"{first.source}: {first.cause} ({first.key}); with data.on_error 'report' training goes on "
                "without it",
                path=first.key,
            )

    def _save(self, done: int) -> None:
        save_checkpoint(
            self.folder,
            done,
            self.network,
            self.optimiser,
            self.average,
            self.recipe,
            self.feed.listing,
            self.feed.asker.drawn,
            self.measured,
        )

    def _look(self, done: int) -> None:
        """Draw and measure every so often, with the averaged weights."""
        run = self.recipe.run
        if not self.processes.is_first or done == run.steps:
            return
        if run.pictures and self.shown and done % run.pictures == 0:
            self._draw(done)
        if run.measure and done % run.measure == 0:
            self._measure(done)

    def _draw(self, done: int) -> None:
        with averaged(self):
            self.journal.picture(done, draw_gallery(self.objective, self.shown, f"step {done}"))

    def _measure(self, done: int) -> dict[str, float]:
        """Figures on what is held out, which are entered too; none if nothing is."""
        if done == self.recipe.run.steps and self.recipe.run.pictures and self.shown:
            self._draw(done)
        if not self.held:
            return {}
        with averaged(self):
            figures = measure(self.objective, self.held)
        self.journal.write(done, {f"held out {name}, {PROTOCOL}": value for name, value in figures.items()})
        return figures


class Numbers(Sampler[int]):
    """Numbers of the pictures that one process learns from, in order.

    Args:
        first: step.
        steps: of the run.
        batch: pictures of a step.
        accumulate: parts of a step.
        processes: how many.
        rank: of this one.
    """

    def __init__(
        self, first: int, steps: int, batch: int, accumulate: int, processes: int, rank: int
    ) -> None:
        self.steps = range(first, steps)
        self.batch = batch
        self.part = batch // (accumulate * processes)
        self.starts = [(place * processes + rank) * self.part for place in range(accumulate)]

    def __iter__(self) -> Iterator[int]:
        for step in self.steps:
            for start in self.starts:
                yield from range(step * self.batch + start, step * self.batch + start + self.part)

    def __len__(self) -> int:
        return len(self.steps) * len(self.starts) * self.part


@contextlib.contextmanager
def averaged(run: Run) -> Iterator[None]:
    """The network has the averaged weights meanwhile."""
    run.average.exchange(run.network)
    try:
        yield
    finally:
        run.average.exchange(run.network)
        run._settle()


def split(recipe: Recipe, processes: int) -> int:
    """Pictures that a process takes at once.

    Raises:
        SeemkitError: the batch cannot be split so.
    """
    run = recipe.run
    parts = processes * run.accumulate
    if run.batch % parts:
        raise SeemkitError(
            f"run.batch is {run.batch}, which does not split into {processes} process{'es' * (processes > 1)} times "
            f"{run.accumulate} parts; take a multiple of {parts}",
            path="run.batch",
            suggestion=str(max(run.batch // parts, 1) * parts),
        )
    return run.batch // parts


def _as_list(drawn: list[Drawn]) -> list[Drawn]:
    return drawn
