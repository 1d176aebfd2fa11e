"""A report that was not measured but written down, so that pages and ratios have known numbers."""

from collections.abc import Callable
from typing import Any

import pytest

from seemkit.benchmark.machine import Machine
from seemkit.benchmark.report import Case, Figure, Measured, Ratio, Report, Setting
from seemkit.benchmark.subject import Subject, make_photo


@pytest.fixture
def report() -> Callable[..., Report]:
    """`report(assembly="other", fast=[...])`: a case of two paths, whose seconds are given."""

    def write(assembly: str = "tiny", fast: tuple[float, ...] = (1.0, 2.0, 9.0)) -> Report:
        case = Case(
            group="round",
            name="second click",
            about="A click more.",
            paths=[
                Measured(name="seemkit", about="fast", seconds=list(fast), flops=2_000_000_000),
                Measured(name="reference", about="slow", seconds=[10.0, 10.0, 10.0], bytes=3_000_000),
            ],
            figures=[Figure(name="encoder runs", value=0), Figure(name="scene", value=2.5e6, unit="B")],
            notes=["Nothing was measured."],
            load=1.5,
        )
        ratios = [case.compare("seemkit", "reference", 0.25)]
        ratios.append(Ratio(of="seemkit", to="reference", value=0.5, what="flops"))
        return Report(
            machine=Machine(
                processor="abacus",
                cores=2,
                memory=2**34,
                system="Linux",
                python="3.11",
                torch="2.15",
                threads=1,
                seemkit="0.1",
                commit="c0ffee",
                date="2026-01-01T00:00:00+00:00",
            ),
            setting=Setting(
                assembly=assembly,
                weights="random",
                overrides={"preprocess.short": 64},
                size=(64, 96),
                device="cpu",
                dtype="float32",
                repeats=3,
            ),
            cases=[case.model_copy(update={"ratios": ratios})],
            command="seemkit bench round",
        )

    return write


@pytest.fixture
def subject(new_model: Any) -> Subject:
    """A tiny model on a photo of 64 x 64 pixels, each path run once."""
    return Subject(new_model("seem_v1"), make_photo((64, 64)), repeats=1)
