"""The page: a section a setting, renewed in place; what a person wrote before the first section stays."""

from pathlib import Path

import pytest

from seemkit.benchmark.page import format_figure, format_seconds, heading, render_section, write_page


def test_a_section_names_machine_commit_command_and_numbers(report) -> None:
    text = render_section(report())
    assert text.startswith("## tiny at 96 x 64 on cpu, 1 thread\n")
    for line in (
        "| machine | abacus, 2 cores, 16 GiB |",
        "| commit | c0ffee |",
        "| load average | 1.5 to 1.5 |",
        "| model | tiny, random weights in float32, preprocess.short = 64 |",
        "```text\nseemkit bench round\n```",
        "### round: second click",
        "| path | time | slowest | GFLOP | memory | what |",
        "| seemkit | 2 s | 9 s | 2 |  | fast |",
        "| reference | 10 s | 10 s |  | 3.0 MB | slow |",
        "| scene | 2.5 MB |",
        "- seemkit: 0.200 of the time of reference (5.0 times less); aimed at: at most 0.25, met",
        "- seemkit: 0.500 of the operations of reference (2.0 times less)",
        "Nothing was measured.",
    ):
        assert line in text, line


def test_options_that_size_does_not_tell_have_a_section_of_their_own(report) -> None:
    plain, options = report(), {"preprocess.short": 64, "mask_decoder.legacy.queries": 3}
    other = plain.model_copy(update={"setting": plain.setting.model_copy(update={"overrides": options})})
    assert heading(other) == "tiny at 96 x 64 on cpu, 1 thread, mask_decoder.legacy.queries = 3"
    assert heading(other) == heading(plain) + ", mask_decoder.legacy.queries = 3"


def test_an_aim_that_is_missed_is_said_to_be(report) -> None:
    assert "at most 0.25, not met" in render_section(report(fast=(9, 9, 9)))


def test_a_setting_is_renewed_in_its_place_and_others_stay(report, tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    write_page(page, report("a"))
    write_page(page, report("b"))
    page.write_text(page.read_text().replace("# Speed\n", "# Speed\n\nWritten by hand.\n", 1))
    write_page(page, report("a", fast=(3, 3, 3)))
    text = page.read_text()
    assert text.count("Written by hand.") == 1
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        f"## {heading(report(name))}" for name in "ab"
    ]
    first, second = text.split("\n## ")[1:]
    assert "| seemkit | 3 s" in first
    assert "| seemkit | 2 s" in second
    write_page(page, report("a", fast=(3, 3, 3)))
    assert page.read_text() == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.0000123, "12.3 µs"), (0.0123, "12.3 ms"), (1.5, "1.5 s"), (123.4, "123 s")],
)
def test_seconds_are_in_a_unit_that_suits(seconds: float | None, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "", "0"),
        (1234.0, "", "1,234"),
        (1.5e-7, "", "1.5e-07"),
        (2e9, "B", "2,000.0 MB"),
        (0.5, "%", "0.5 %"),
    ],
)
def test_figures_are_short(value: float, unit: str, text: str) -> None:
    assert format_figure(value, unit) == text
