"""A made-up model with the part of the public face that evaluators use; its answers are known in advance."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

Answer = Callable[[np.ndarray, Sequence[Any]], np.ndarray]


@dataclass
class MadeUpSession:
    model: "MadeUpModel"
    scene: np.ndarray
    prompts: list[Any] = field(default_factory=list)

    def add(self, prompt: Any) -> None:
        self.prompts.append(prompt)

    def result(self) -> SimpleNamespace:
        return self.model.segment(self.scene, self.prompts)


@dataclass
class MadeUpModel:
    """Gives `answer(image, prompts)` for every question and keeps what was asked."""

    answer: Answer
    label: str = "dog"
    asked: list[list[Any]] = field(default_factory=list)

    def encode(self, image: np.ndarray) -> np.ndarray:
        return image

    def session(self, image: np.ndarray) -> MadeUpSession:
        return MadeUpSession(self, image)

    def segment(
        self, scene: np.ndarray, prompts: Sequence[Any], vocabulary: Sequence[str] = ()
    ) -> SimpleNamespace:
        self.asked.append(list(prompts))
        return SimpleNamespace(masks=self.answer(scene, prompts)[None], labels=(((self.label, 1.0),),))

    def track(
        self, frames: Iterable[np.ndarray], objects: Mapping[str, Sequence[Any]], memory: bool = True
    ) -> Iterator[SimpleNamespace]:
        for frame in frames:
            yield self.segment(frame, objects["1"])


@pytest.fixture
def made_up() -> type[MadeUpModel]:
    return MadeUpModel
