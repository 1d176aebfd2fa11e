"""What was measured so far, one line a picture, so that an evaluation that was killed goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import IO

from pydantic import JsonValue

from seemkit.errors import SeemkitError
from seemkit.evaluation.measures.measure import Record
from seemkit.results.atomic import replacing

__all__ = ["Ledger"]

Place = tuple[str, str, str]
"""Data set, measure, and key of the picture."""


class Ledger:
    """Records in the file ``records.jsonl`` of a folder, or in memory if there is no folder.

    Args:
        folder: where it is kept; made if it is not there.
        identity: what the records belong to; a folder with records of something else is refused.
        restart: forget what the folder has.

    Raises:
        SeemkitError: the folder cannot be written, or holds another evaluation.
    """

    def __init__(
        self, folder: Path | None, identity: Mapping[str, JsonValue], *, restart: bool = False
    ) -> None:
        self.folder = folder
        self._lines: list[dict[str, JsonValue]] = []
        self._done: dict[Place, float | None] = {}
        self._nothing: set[Place] = set()
        self._file: IO[bytes] | None = None
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._open(folder, json.loads(json.dumps(dict(identity))), restart)
        except OSError as error:
            raise SeemkitError(
                f"{str(folder)!r} cannot be written: {error.strerror or error}", path="out"
            ) from error

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def __contains__(self, place: Place) -> bool:
        return place in self._done

    def __len__(self) -> int:
        return len(self._done)

    def add(self, place: Place, record: Mapping[str, JsonValue] | None, score: float | None = None) -> None:
        """Keep what was found in a picture; None if there was nothing to measure."""
        split, measure, key = place
        line: dict[str, JsonValue] = {
            "split": split,
            "measure": measure,
            "key": key,
            "score": score,
            "record": None if record is None else dict(record),
        }
        self._enter(place, score, nothing=record is None)
        if self._file is None:
            self._lines.append(line)
            return
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._file.flush()

    def records(self, split: str, measure: str) -> Iterator[Record]:
        """What was found on one data set by one measure, in the order it was found, with the key of each."""
        for line in self._all():
            record = line["record"]
            if line["split"] == split and line["measure"] == measure and isinstance(record, dict):
                yield {"key": line["key"], **record}

    def scores(self, split: str, measure: str) -> dict[str, float]:
        """Scores by key, of pictures that have one."""
        return {
            key: score
            for (one, other, key), score in self._done.items()
            if (one, other) == (split, measure) and score is not None
        }

    def empty(self, split: str, measure: str, keys: Set[str]) -> tuple[int, int]:
        """How many pictures of these keys had nothing to measure, and how many there were."""
        mine = [place for place in self._done if place[:2] == (split, measure) and place[2] in keys]
        return sum(place in self._nothing for place in mine), len(mine)

    def _all(self) -> Iterator[dict[str, JsonValue]]:
        if self.folder is None:
            yield from self._lines
            return
        with (self.folder / "records.jsonl").open("rb") as file:
            for line in file:
                yield json.loads(line)

    def _open(self, folder: Path, identity: dict[str, JsonValue], restart: bool) -> None:
        head, lines = folder / "evaluation.json", folder / "records.jsonl"
        if restart:
            lines.unlink(missing_ok=True)
            head.unlink(missing_ok=True)
        if head.is_file():
            _check_same(folder, _read(head), identity)
        elif lines.is_file():
            raise SeemkitError(
                f"{str(lines)!r} does not say what it belongs to; give another folder, or --restart",
                path="out",
            )
        else:
            with replacing(head) as file:
                file.write(json.dumps(identity, indent=1, ensure_ascii=False).encode() + b"\n")
        self._file = lines.open("ab")
        self._cut(lines)
        for line in self._all():
            place = str(line["split"]), str(line["measure"]), str(line["key"])
            score = line["score"]
            known = float(score) if isinstance(score, int | float) else None
            self._enter(place, known, nothing=line["record"] is None)

    def _enter(self, place: Place, score: float | None, *, nothing: bool) -> None:
        self._done[place] = score
        if nothing:
            self._nothing.add(place)

    def _cut(self, lines: Path) -> None:
        """Drop a last line that was not written to its end."""
        assert self._file is not None
        whole = lines.read_bytes()
        end = whole.rfind(b"\n") + 1
        if end < len(whole):
            self._file.truncate(end)


def _read(path: Path) -> dict[str, JsonValue]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SeemkitError(f"{str(path)!r} is damaged; give another folder, or --restart", path="out")
    return found


def _check_same(folder: Path, old: dict[str, JsonValue], new: dict[str, JsonValue]) -> None:
    for name in [*new, *old]:
        if old.get(name) != new.get(name):
            raise SeemkitError(
                f"{str(folder)!r} holds another evaluation: its {name} differs from that of this one; "
                "give another folder, or --restart to begin anew",
                path="out",
            )
