"""The contract of prompt types, and its checks without pytest."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, cast

from seemkit.errors import SeemkitError
from seemkit.host import check_prompt as fault_of
from seemkit.prompting.prompt import Prompt, SpatialPrompt, TokenPrompt
from seemkit.testing.prompt_answers import PromptAnswerChecks
from seemkit.testing.prompt_parts import PromptPartChecks
from seemkit.testing.prompt_regions import PromptRegionChecks
from seemkit.testing.prompt_rows import PromptRowChecks
from seemkit.testing.prompt_simulation import PromptSimulationChecks
from seemkit.testing.prompt_values import PromptValueChecks
from seemkit.testing.prompt_words import PromptWordChecks
from seemkit.testing.report import Report
from seemkit.testing.violation import one_line

__all__ = ["PromptContract", "check_prompt"]


class PromptContract(
    PromptValueChecks,
    PromptWordChecks,
    PromptRegionChecks,
    PromptSimulationChecks,
    PromptRowChecks,
    PromptPartChecks,
    PromptAnswerChecks,
):
    """What every prompt type is held to; a subclass in a test file names it as ``prompt``.

    Attributes:
        prompt: the prompt type.
        flags: values of its command-line flag, and the prompt that each is read as; needed for a type that has
            a ``parse`` of its own, so that its reading can be checked.
    """

    prompt: ClassVar[type[Prompt]]
    flags: ClassVar[Mapping[str, Prompt]] = {}

    def __init_subclass__(cls) -> None:
        """Leave out the checks of the other level: rows of a spatial prompt, regions of a token prompt."""
        super().__init_subclass__()
        if "prompt" not in vars(cls):
            return
        prompt = vars(cls)["prompt"]
        if wrong := fault_of(prompt):
            raise SeemkitError(
                f"prompt={one_line(repr(prompt), 60)} cannot be checked: {wrong}", path="prompt"
            )
        for part in _other_level(prompt):
            for name in vars(part):
                if name.startswith("test_"):
                    setattr(cls, name, None)


def _other_level(prompt: type[Prompt]) -> list[type]:
    if issubclass(prompt, SpatialPrompt):
        return [PromptRowChecks, PromptPartChecks]
    learned = vars(TokenPrompt)["build"].__func__ is not getattr(prompt, "build").__func__  # noqa: B009
    return [PromptRegionChecks] if learned else [PromptRegionChecks, PromptPartChecks]


def check_prompt(
    prompt: type[Prompt], *, flags: Mapping[str, Prompt] | None = None, only: Iterable[str] | None = None
) -> Report:
    """Hold a prompt type to the contract, without pytest.

    Args:
        prompt: the prompt type.
        flags: as `PromptContract.flags`.
        only: names of checks to run; by default all.
    """
    contract = cast(
        type[PromptContract],
        type("Checked", (PromptContract,), {"prompt": prompt, "flags": dict(flags or {})}),
    )
    return contract.report(only)
