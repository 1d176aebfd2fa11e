"""What a contract is: a class whose checks pytest collects as tests, and which also run without pytest."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, TypeVar

from seemkit.errors import SeemkitError
from seemkit.testing.report import Outcome, Report
from seemkit.testing.violation import Fault, Skipped, Violation, one_line
from seemkit_registry import nearest

__all__ = ["Check", "Contract", "check", "named"]

_C = TypeVar("_C", bound="Contract")


@dataclass(frozen=True)
class Check:
    """One thing that a plugin is held to.

    Attributes:
        name: of the test method.
        contract: what holds of every plugin of the kind, as a sentence without its full stop.
        why: what goes wrong where it does not hold.
        mend: what the author of a plugin does about it, as the end of a sentence.
    """

    name: str
    contract: str
    why: str
    mend: str


def check(contract: str, *, why: str, mend: str) -> Callable[[Callable[[_C], None]], Callable[[_C], None]]:
    """Make a method a check: whatever it raises becomes one sentence of contract, observation and remedy."""

    def mark(function: Callable[[_C], None]) -> Callable[[_C], None]:
        about = Check(function.__name__, contract, why, mend)

        @wraps(function)
        def guarded(self: _C) -> None:
            __tracebackhide__ = True
            self.component()  # says so if the test class names no plugin
            try:
                function(self)
            except (Skipped, Violation):
                raise
            except Fault as fault:
                raise _violation(about, self, str(fault)) from (fault.__cause__ or fault.__context__)
            except Exception as error:  # of the plugin
                observed = f"raised {type(error).__name__}: {one_line(error)}"
                raise _violation(about, self, observed) from error

        guarded.__doc__ = f"{contract}."
        guarded.about = about  # type: ignore[attr-defined]
        return guarded

    return mark


def _violation(about: Check, contract: "Contract", observed: str) -> Violation:
    return Violation(
        about.contract,
        check=about.name,
        subject=contract.subject(),
        observed=observed.rstrip("."),
        mend=about.mend,
    )


class Contract:
    """The checks of one kind of plugin; a subclass names the plugin."""

    kind: ClassVar[str]
    """The kind of component, such as ``prompts``."""

    @classmethod
    def checks(cls) -> list[Check]:
        """Every check, in the order in which they are written."""
        found: dict[str, Check] = {}
        for base in cls.__mro__:
            for name in vars(base):
                about = getattr(getattr(cls, name, None), "about", None)
                if isinstance(about, Check) and name == about.name:
                    found.setdefault(name, about)
        return list(found.values())

    @classmethod
    def table(cls) -> str:
        """The checks as a Markdown table: what is checked, and why."""
        rows = [f"| `{each.name}` | {each.contract}. | {each.why} |" for each in cls.checks()]
        return "\n".join(["| check | contract | why |", "|---|---|---|", *rows])

    @classmethod
    def subject(cls) -> str:
        """What is checked, as it is called in sentences."""
        raise NotImplementedError

    @classmethod
    def component(cls) -> object:
        """The object behind the entry point."""
        raise NotImplementedError

    @classmethod
    def report(cls, only: Iterable[str] | None = None) -> Report:
        """Run the checks, or `only` those with these names, without pytest."""
        checks = cls.checks()
        if only is not None:
            wanted = set(only)
            _check_names(wanted, cls)
            checks = [about for about in checks if about.name in wanted]
        outcomes = tuple(cls._run(about) for about in checks)
        return Report.of(cls.kind, cls.subject(), cls.component(), outcomes)

    @classmethod
    def _run(cls, about: Check) -> Outcome:
        method: Any = getattr(cls(), about.name)
        try:
            method()
        except Skipped as reason:
            return Outcome(about.name, about.contract, "skipped", str(reason))
        except Violation as violation:
            return Outcome(about.name, about.contract, "failed", str(violation))
        return Outcome(about.name, about.contract, "passed")


def named(contract: type[Contract], attribute: str) -> object:
    """What a test class names as the plugin to check; one sentence if it names none."""
    found: object = getattr(contract, attribute, None)
    if found is None:
        raise SeemkitError(
            f"{contract.__name__} does not say what to check: write {attribute} = ... in the class",
            path=attribute,
        )
    return found


def _check_names(wanted: set[str], contract: type[Contract]) -> None:
    known = {name for base in contract.__mro__ for name in vars(base) if name.startswith("test_")}
    for name in sorted(wanted - known):
        near = nearest(name, known)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SeemkitError(
            f"{name!r} is no check of {contract.__name__}{hint}",
            path="only",
            suggestion=near[0] if near else None,
        )
