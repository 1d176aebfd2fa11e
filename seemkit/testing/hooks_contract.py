"""The contract of hooks, and its checks without pytest."""

from __future__ import annotations

import contextlib
import inspect
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

import numpy as np

from seemkit.errors import SeemkitError
from seemkit.testing.bench import load_model, make_photo
from seemkit.testing.contract import Contract, check, named
from seemkit.testing.report import Report
from seemkit.testing.violation import demand, fail, one_line
from seemkit_registry import Component, Fault
from seemkit_registry.hooks import HOOKS, HookSet

__all__ = ["HooksContract", "check_hooks"]


class HooksContract(Contract):
    """What every hook plugin is held to; a subclass in a test file names it as ``hooks``.

    Attributes:
        hooks: the object behind the entry point: an object with hooks, or a class of them.
        options: of hooks that have ``Options``, to build them with.
    """

    kind: ClassVar[str] = "hooks"
    hooks: ClassVar[Any]
    options: ClassVar[Mapping[str, object]] = {}

    @classmethod
    def subject(cls) -> str:
        """The name of the class."""
        found = cls.component()
        return str(getattr(found, "__name__", type(found).__name__))

    @classmethod
    def component(cls) -> object:
        """The hooks."""
        return named(cls, "hooks")

    def chain(self) -> HookSet:
        """The plugin, ready to be called; a fault of it ends the check.

        One with options is built in an empty folder, where it may write what it likes.
        """

        def tell(component: Component, fault: Fault) -> None:
            fail(f"was left out, for {fault.cause}")

        component = Component("hooks", "checked", "local", "", self.subject())
        return HookSet([(component, self._built())], on_fault=tell)

    def _built(self) -> object:
        found: Any = self.component()
        model = getattr(found, "Options", None)
        if model is None:
            return found
        self.folder = tempfile.TemporaryDirectory(prefix="seemkit-check-")  # goes with this object
        with contextlib.chdir(self.folder.name):
            return found.build(model(**self.options))

    @check(
        f"A hook plugin implements one of the hooks at least, and no other: {', '.join(HOOKS)}",
        why="A hook under a wrong name is never called.",
        mend="mark methods of these names with @hookimpl; each takes the one argument of its row, or none",
    )
    def test_its_hooks_are_known(self) -> None:
        demand(self.chain(), "implements none")

    @check(
        "A hook plugin says what it does",
        why="It acts on every model of the environment, and 'seemkit info' shows this line.",
        mend="write a docstring",
    )
    def test_it_is_described(self) -> None:
        first = inspect.cleandoc(getattr(self.component(), "__doc__", None) or "").partition("\n")[0]
        demand(10 <= len(first) <= 120, f"has the summary {first!r}")

    @check(
        "Each hook takes its value and returns one of the same type, or None for unchanged",
        why="A plugin that raises or returns something else is left out from then on.",
        mend="return the value, a new one of its type, or nothing",
    )
    def test_each_hook_returns_what_it_was_given(self) -> None:
        chain, values = self.chain(), self._values()
        for hook, value in values.items():
            found = getattr(chain, hook)(value)
            alike = isinstance(found, type(value))
            demand(alike, f"returned a {type(found).__name__} for a {type(value).__name__} in {hook}")

    @check(
        "A hook leaves the value that it is given as it is",
        why="Callers keep scenes, prompts and results, and threads share them.",
        mend="return a changed copy: dataclasses.replace(result, ...), [*round, prompt]",
    )
    def test_values_are_left_as_they_are(self) -> None:
        chain, values = self.chain(), self._values()
        for hook, value in values.items():
            before = _content(value)
            getattr(chain, hook)(value)
            demand(_content(value) == before, f"changed what {hook} was given")

    @check(
        "A result without masks passes",
        why="Where nothing is found, everything() gives one.",
        mend="expect len(result) == 0",
    )
    def test_a_result_without_masks_passes(self) -> None:
        from seemkit import Result

        empty = Result(np.zeros((0, 48, 64), bool), np.zeros(0, np.float32))
        self.chain().after_predict(empty)

    @check(
        "With the hooks a model encodes, answers, and goes on from round to round",
        why="They are there whenever a model is loaded.",
        mend="look at the sentence; SEEMKIT_STRICT=1 shows where in a program of your own",
    )
    def test_a_model_works_with_them(self) -> None:
        from seemkit.prompts import Point

        model = load_model(None)
        model.hooks = self.chain()
        session = model.session(make_photo())
        try:
            for x in (20.5, 30.5):
                masks = len(session.add(Point(x=x, y=22.5)).result())
                demand(masks == 1, f"left {masks} masks where 1 was asked for")
        except SeemkitError as error:
            fail(f"led to {one_line(error)}")

    def _values(self) -> dict[str, object]:
        """What each hook is called with, on the bench."""
        from seemkit.assembly import load_assembly
        from seemkit.prompts import Box, Point

        model = load_model(None)
        scene = model.encode(make_photo())
        prompts = [Point(x=20.5, y=15.5), Box(x1=8, y1=6, x2=40, y2=30, object="2")]
        result = model.segment(scene, prompts, vocabulary=["cat", "dog"])
        return {
            "configure": load_assembly("nano"),
            "before_encode": make_photo(),
            "after_encode": scene,
            "before_decode": list(prompts),
            "after_predict": result,
        }


def _content(value: object) -> object:
    """What a value holds, to see whether somebody changed it."""
    from seemkit import Assembly, Result, Scene

    if isinstance(value, Assembly):
        return value.model_dump_json()
    if isinstance(value, Scene):
        return [x.detach().cpu().numpy().tobytes() for x in value.maps.values()]
    if isinstance(value, Result):
        arrays = (value.masks, value.scores, value.selection, value.logits)
        return [x if x is None else x.tobytes() for x in arrays], value.objects, value.labels, value.shares
    if isinstance(value, np.ndarray):
        return value.tobytes()
    assert isinstance(value, list), "a round is a list of prompts"
    return list(value)


def check_hooks(
    hooks: object, options: Mapping[str, object] | None = None, *, only: Iterable[str] | None = None
) -> Report:
    """Hold a hook plugin to the contract, without pytest.

    Args:
        hooks: the object behind the entry point.
        options: to build it with, if it has some.
        only: names of checks to run; by default all.
    """
    contract = cast(
        type[HooksContract], type("Checked", (HooksContract,), {"hooks": hooks, "options": options or {}})
    )
    return contract.report(only)
