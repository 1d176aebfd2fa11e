"""Checks of what every component with options shares: the options, and that it says what it is."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ValidationError

from seemkit.host import check_built
from seemkit.testing.contract import Contract, check
from seemkit.testing.violation import demand, fail, one_line, skip

__all__ = ["OptionChecks"]


class OptionChecks(Contract):
    """A component has options, and says what it and they are."""

    options: ClassVar[Mapping[str, object]] = {}
    """Options that it is built with; choose small ones."""

    @classmethod
    def subject(cls) -> str:
        """The name of the class, with its options."""
        name = getattr(cls.component(), "__name__", type(cls.component()).__name__)
        given = ", ".join(f"{key}={value!r}" for key, value in cls.options.items())
        return f"{name}({given})" if given else str(name)

    def settings(self) -> BaseModel:
        """The options as the component's model; leaves the check out if they are refused."""
        component: Any = self.component()
        try:
            settings: BaseModel = component.Options(**self.options)
        except Exception as error:  # of the plugin; another check says it
            skip(f"its options are refused ({one_line(error, 80)})")
        return settings

    @check(
        "A component has a pydantic model Options, frozen and without unknown fields, and a build(options)",
        why="Assemblies are checked against it before any weight is allocated.",
        mend="set model_config = ConfigDict(frozen=True, extra='forbid') in Options",
    )
    def test_its_options_are_frozen_and_strict(self) -> None:
        wrong = check_built(self.component())
        if wrong:
            fail(f"cannot be used, for {wrong}")
        component: Any = self.component()
        settings = component.Options(**self.options)
        try:
            type(settings)(**{**self.options, "no_such_option": 1})
        except ValidationError:
            pass
        else:
            fail("took the option 'no_such_option'")
        for name in type(settings).model_fields:
            try:
                setattr(settings, name, getattr(settings, name))
            except (ValidationError, AttributeError, TypeError):
                continue
            fail(f"let its option {name!r} be set after it was made")

    @check(
        "Options come back from JSON equal",
        why="Assemblies are written as YAML, and hashed to tell which weights fit.",
        mend="use plain types for options: numbers, texts, tuples and models of these",
    )
    def test_its_options_come_back_from_json(self) -> None:
        settings = self.settings()
        back = type(settings).model_validate(json.loads(settings.model_dump_json()))
        demand(back == settings, f"came back as {one_line(repr(back), 160)}")

    @check(
        "The component and each of its options say what they are",
        why="'seemkit info' shows these lines, and there is no other place to look.",
        mend="write a docstring, and Field(..., description='...') for every option",
    )
    def test_it_and_its_options_are_described(self) -> None:
        first = inspect.cleandoc(getattr(self.component(), "__doc__", None) or "").partition("\n")[0]
        demand(10 <= len(first) <= 120, f"has the summary {first!r}")
        fields = type(self.settings()).model_fields
        silent = [name for name, field in fields.items() if not field.description]
        demand(not silent, f"says nothing of its option {', '.join(silent)}")
