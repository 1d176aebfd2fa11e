"""The hook `record`: a line of JSON for every image that is encoded and every request that is answered."""

import json
import os
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, field_validator

from seemkit import api

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Record"]


class Record:
    """Writes times, sizes and the types of prompts to a file of JSON lines; no pixels, words or coordinates.

    An assembly asks for it: `hooks: [record]`, or with options `hooks: [{use: record, path: logs/today.jsonl}]`.
    """

    class Options(BaseModel):
        """Where the lines go."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        path: str = Field(
            "seemkit-record.jsonl",
            description="a .jsonl file below the folder that the program runs in; lines are added at its end",
        )

        @field_validator("path")
        @classmethod
        def check_path(cls, path: str) -> str:
            """Refuse a path that leads elsewhere, since an assembly may come from a stranger."""
            return api.check_relative(path, (".jsonl",), "the folder that the program runs in")

    def __init__(self, options: Options) -> None:
        self.path = os.path.abspath(options.path)
        self._lock = threading.Lock()
        self._started = threading.local()  # threads share a model, and so its hooks

    @classmethod
    def build(cls, options: Options) -> "Record":
        return cls(options)

    @api.hookimpl(trylast=True)
    def before_encode(self, image: "NDArray[np.uint8]") -> None:
        del image
        self._started.encode = time.perf_counter()

    @api.hookimpl(tryfirst=True)
    def after_encode(self, scene: "api.Scene") -> None:
        seconds = self._since("encode")
        self._write(event="encode", seconds=seconds, size=list(scene.size), scene=scene.fingerprint[:12])

    @api.hookimpl(trylast=True)
    def before_decode(self, round: "Sequence[api.Prompt]") -> None:  # noqa: A002 - the name of the interface
        self._started.decode = time.perf_counter()
        self._started.asked = dict(sorted(Counter(prompt.type for prompt in round).items()))

    @api.hookimpl(tryfirst=True)
    def after_predict(self, result: "api.Result") -> None:
        asked = self._started.__dict__.pop("asked", {})
        self._write(
            event=result.task,
            seconds=self._since("decode"),
            size=list(result.size),
            prompts=asked,
            masks=len(result),
        )

    def _since(self, what: str) -> float | None:
        """Seconds since the step began in this thread; None if its beginning was not seen."""
        start = self._started.__dict__.pop(what, None)
        return None if start is None else round(time.perf_counter() - start, 6)

    def _write(self, **fields: object) -> None:
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **fields})
        with self._lock, open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{line}\n")
