"""What a run says of itself: a log of lines, events for TensorBoard, faults of the data, and a bar on a terminal."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from PIL import Image

from seemkit.results.atomic import replacing
from seemkit.training.feed import SourceFault

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Journal", "NoJournal"]


class NoJournal:
    """Says nothing, for the processes that are not the first."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Enter figures of a step."""

    def advance(self, step: int, loss: float) -> None:
        """Show how far the run is."""

    def picture(self, step: int, sheet: Image.Image) -> None:
        """Keep a sheet of predictions."""

    def faults(self, found: Iterable[SourceFault]) -> None:
        """Enter what is wrong with the data."""

    def say(self, line: str) -> None:
        """Tell whoever watches."""


class Journal(NoJournal):
    """Writes into the folder of a run.

    Args:
        folder: of the run.
        first: the step that it goes on from; what was said of later ones is taken back, all of it where that is 0.
        steps: of the run.
        tensorboard: whether events are written.
        bar: whether there is somebody to see a bar.
    """

    def __init__(self, folder: Path, first: int, steps: int, *, tensorboard: bool, bar: bool) -> None:
        self.folder = folder
        self.first = first
        self.steps = steps
        self._log = folder / "log.jsonl"
        self._known: dict[tuple[str, str], SourceFault] = {}
        self._writer: Any = None
        self._bar: Progress | None = None
        self._task: Any = None
        if self._log.exists():
            kept = [line for line in _lines(self._log) if line["step"] < first + ("loss" not in line)]
            if not first:  # nothing of a run that begins was said before
                kept = []
                for events in (folder / "tensorboard").glob("events.out.tfevents.*"):
                    events.unlink(missing_ok=True)
            with replacing(self._log) as file:
                file.write("".join(json.dumps(line) + "\n" for line in kept).encode())
        if first:
            for line in _lines(folder / "faults.jsonl"):
                fault = SourceFault(line["source"], line["key"], line["cause"])
                self._known[fault.source, fault.key] = fault
        else:
            (folder / "faults.jsonl").unlink(missing_ok=True)
        if tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=first if first else None)
        if bar:
            self._bar = _new_bar()
            self._task = self._bar.add_task("training", total=steps, completed=first)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._writer is not None:
            self._writer.close()

    @property
    def known_faults(self) -> tuple[SourceFault, ...]:
        """What is wrong with the data, each file once."""
        return tuple(self._known.values())

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Enter figures of a step."""
        line = {"step": step, **{name: float(f"{value:.8g}") for name, value in figures.items()}}
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        if self._writer is not None:
            for name, value in figures.items():
                self._writer.add_scalar(name, value, step)

    def advance(self, step: int, loss: float) -> None:
        """Show how far the run is."""
        if self._bar is not None:
            self._bar.update(self._task, completed=step + 1, description=f"loss {loss:.3f}")

    def picture(self, step: int, sheet: Image.Image) -> None:
        """Keep a sheet of predictions."""
        folder = self.folder / "pictures"
        folder.mkdir(exist_ok=True)
        with replacing(folder / f"step-{step:07d}.jpg") as file:
            sheet.convert("RGB").save(file, "JPEG", quality=90)
        if self._writer is not None:
            self._writer.add_image("predictions", np.asarray(sheet.convert("RGB")), step, dataformats="HWC")

    def faults(self, found: Iterable[SourceFault]) -> None:
        """Enter what is wrong with the data; each file is said once."""
        new = [f for f in dict.fromkeys(found) if (f.source, f.key) not in self._known]
        if not new:
            return
        with (self.folder / "faults.jsonl").open("a", encoding="utf-8") as file:
            for fault in new:
                self._known[fault.source, fault.key] = fault
                file.write(
                    json.dumps({"source": fault.source, "key": fault.key, "cause": fault.cause}) + "\n"
                )

    def say(self, line: str) -> None:
        """Tell whoever watches."""
        from rich.console import Console
        from rich.text import Text

        console = self._bar.console if self._bar is not None else Console(stderr=True, soft_wrap=True)
        console.print(Text(line))


def _new_bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


def _lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a log that are whole: the last one may have been cut off."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found
