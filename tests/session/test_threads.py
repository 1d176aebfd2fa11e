"""Thirty-two threads with their own sessions on one model give the serial results."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from numpy.typing import NDArray

from seemkit import Model
from seemkit.prompts import Point, Text

THREADS = 32


@pytest.mark.parametrize("preset", ["seem_v1", "nano"])
def test_threads_give_the_serial_results(
    new_model: Callable[..., Model], new_photo: Callable[..., NDArray[np.uint8]], preset: str
) -> None:
    photos = [new_photo(72, 96, seed) for seed in range(7)]

    def talk(model: Model, own: int) -> list[bytes]:
        session = model.session(photos[own % len(photos)], vocabulary=["dog", f"thing {own % 5}"])
        said = []
        for turn in range(3):
            session.add(Point(x=(7 * own + 11 * turn) % 96, y=(5 * own + 3 * turn) % 72, object="a"))
            session.add(Text(text=f"word {own % 3}", object="b"))
            result = session.result()
            said += [np.ascontiguousarray(x).tobytes() for x in (result.masks, result.logits, result.scores)]
            said.append(repr(result.labels).encode())
        session.undo()
        session.result()
        return said

    alone = new_model(preset)
    serial = [talk(alone, own) for own in range(THREADS)]
    assert alone.encodes == THREADS

    shared, together = new_model(preset), Barrier(THREADS)

    def work(own: int) -> list[bytes]:
        together.wait()
        return talk(shared, own)

    with ThreadPoolExecutor(THREADS) as pool:
        threaded = list(pool.map(work, range(THREADS)))
    assert threaded == serial
    assert shared.encodes == THREADS
