"""A JSON-lines file of trials: appended to after each, so that a sweep that is killed goes on where it was."""

import json
import os
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import JsonValue, ValidationError

from seemkit.errors import SeemkitError
from seemkit.sweep.trial import Trial

__all__ = ["Journal"]

T = TypeVar("T", bound=Trial)


class Journal(Generic[T]):
    """The trials of a file, in the order of the file; the first line says what they were made with.

    Args:
        path: of the file; it is made if it is not there.
        kind: of the trials.
        about: what trials depend on, such as versions. A file of another is refused.

    Raises:
        SeemkitError: the file is of something else, or no journal.
    """

    def __init__(self, path: Path, kind: type[T], about: dict[str, JsonValue]) -> None:
        self.path = path
        self.trials: dict[str, T] = {}
        header = (json.dumps({"about": about}) + "\n").encode()
        whole = path.read_bytes() if path.is_file() else b""
        if header.startswith(whole):  # new, or killed while it began
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(header)
            return
        kept = whole[
            : whole.rfind(b"\n") + 1
        ]  # the last line may have been cut off when the sweep was killed
        first, *lines = kept.decode("utf-8", "replace").splitlines() or [""]
        try:
            recorded = json.loads(first)["about"]
            for line in lines:
                trial = kind.model_validate_json(line)
                self.trials[trial.model] = trial
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise SeemkitError(
                f"{path} is no journal of this sweep; name another file", path=str(path)
            ) from error
        if recorded != about:
            changed = sorted(key for key in {*recorded, *about} if recorded.get(key) != about.get(key))
            told = ", ".join(f"{key} {recorded.get(key)!r} and not {about.get(key)!r}" for key in changed)
            raise SeemkitError(f"{path} was made with {told}; name another file", path=str(path))
        os.truncate(path, len(kept))

    def add(self, trial: T) -> None:
        """Append a trial; of two with one name the later counts."""
        self.trials[trial.model] = trial
        with self.path.open("a", encoding="utf-8") as file:
            file.write(trial.model_dump_json(exclude_defaults=True) + "\n")
