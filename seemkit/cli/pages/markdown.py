"""Markdown of reference pages: tables, fences and code, whatever a plugin's texts hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Page", "code", "fence", "table"]


@dataclass(frozen=True)
class Page:
    """One page of the reference.

    Attributes:
        path: where it lies in the reference, with slashes, such as ``prompts/points.md``.
        title: its heading.
        summary: one line, for the table of contents.
        text: the whole page.
    """

    path: str
    title: str
    summary: str
    text: str


def code(text: str) -> str:
    """`text` as code within a line, also within a table."""
    ticks = "``" if "`" in text else "`"
    pad = " " if "`" in text else ""
    return f"{ticks}{pad}{' '.join(text.split())}{pad}{ticks}" if text.strip() else ""


def fence(kind: str, text: str) -> str:
    """A block of code that holds `text`, even if that has fences of its own."""
    ticks = "```"
    while ticks in text:
        ticks += "`"
    return f"{ticks}{kind}\n{text.rstrip()}\n{ticks}"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; line breaks in cells become spaces, and bars stay within their cell."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
