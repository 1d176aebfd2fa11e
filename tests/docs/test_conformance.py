"""The page on conformance lists every check, as the code words it."""

from pathlib import Path

import pytest

from seemkit.testing import (
    AnswerPolicyContract,
    BackboneContract,
    Contract,
    DatasetContract,
    ExporterContract,
    HooksContract,
    PromptContract,
    TextEncoderContract,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
CONTRACTS = {
    "Prompts": PromptContract,
    "Backbones": BackboneContract,
    "Text encoders": TextEncoderContract,
    "Answer policies": AnswerPolicyContract,
    "Hooks": HooksContract,
    "Exporters": ExporterContract,
    "Data sets": DatasetContract,
}


@pytest.mark.parametrize(("heading", "contract"), CONTRACTS.items())
def test_every_check_is_on_the_page_as_the_code_words_it(heading: str, contract: type[Contract]) -> None:
    section = PAGE.read_text(encoding="utf-8").partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert rows == contract.table().splitlines(), f"put print({contract.__name__}.table()) there"
