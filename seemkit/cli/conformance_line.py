"""What the conformance suite of its kind says of one component, in a line."""

from collections.abc import Callable

from seemkit.cli.chatter import chatter_aside
from seemkit_registry import PluginQuarantined

__all__ = ["conformance_line"]


def conformance_line(kind: str, qualified: str) -> str:
    """Run the suite; a component whose options have no default cannot be run like this, which is said.

    Args:
        kind: of component.
        qualified: its qualified name.
    """
    from seemkit.host import registry

    try:
        with chatter_aside():
            component = registry().get(kind, qualified)
            suite = _suite(kind)
            if suite is None:
                return f"there is no suite for {kind}"
            lacking = _lacking(component)
            if lacking:
                return f"not run: give its options ({', '.join(lacking)}) to seemkit.testing in a test of your own"
            return suite(component)
    except PluginQuarantined as error:
        return f"not run: {error}"


def _suite(kind: str) -> Callable[[object], str] | None:
    from seemkit import testing

    checks: dict[str, Callable[..., testing.Report]] = {
        "prompts": testing.check_prompt,
        "backbones": testing.check_backbone,
        "text_encoders": testing.check_text_encoder,
        "answer_policies": testing.check_answer_policy,
        "hooks": testing.check_hooks,
        "exporters": testing.check_exporter,
        "datasets": testing.check_dataset,
    }
    check = checks.get(kind)
    return None if check is None else lambda component: _say(check(component))


def _say(report: "object") -> str:
    from seemkit.testing import Report

    assert isinstance(report, Report), "every suite gives a report"
    failed = "; ".join(f"{each.name}: {each.reason}" for each in report.failed)
    return f"{report.summary}{f' ({failed})' if failed else ''}"


def _lacking(component: object) -> list[str]:
    """Options that have no default, of a component that has options."""
    model = getattr(component, "Options", None)
    fields = getattr(model, "model_fields", {}) if not hasattr(component, "model_fields") else {}
    return [name for name, field in fields.items() if field.is_required()]
